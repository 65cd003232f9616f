output "url_secret_arn" {
  description = "The secret whose value is DATABASE_URL; null with rotated_by_rds."
  value       = one(aws_secretsmanager_secret.url[*].arn)
  depends_on  = [aws_secretsmanager_secret_version.url, aws_rds_cluster_instance.this]
}

output "password_secret_arn" {
  description = "The secret of RDS, a JSON object with username and password; null without rotated_by_rds."
  value       = one(aws_rds_cluster.this.master_user_secret[*].secret_arn)
}

output "cluster" {
  description = "Name of the cluster, for alarms."
  value       = aws_rds_cluster.this.cluster_identifier
}

output "max_capacity" {
  description = "Most capacity in ACU, for alarms."
  value       = var.max_capacity
}

output "endpoint" {
  description = "Host of the writer."
  value       = aws_rds_cluster.this.endpoint
}
