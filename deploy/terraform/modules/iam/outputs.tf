output "role_name" {
  description = "Name of the role."
  value       = aws_iam_role.broker.name
}

output "role_arn" {
  description = "ARN of the role, for the annotation eks.amazonaws.com/role-arn of a service account."
  value       = aws_iam_role.broker.arn
}

output "policy" {
  description = "The policy, as `upload-broker doctor --policy` prints it."
  value       = local.policy
}
