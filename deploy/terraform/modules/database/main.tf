# Aurora PostgreSQL Serverless v2 with a writer and a reader, encrypted, for TLS only. The password is in neither the
# state nor a plan. Either it is given: then it is written to the cluster, and with the DATABASE_URL of the broker to a
# secret, when password_version changes. Or RDS makes it, keeps it in a secret of its own, and rotates it every week:
# for brokers that read it from a file (BROKER_DB_PASSWORD_FILE).

locals {
  # The certificates of RDS are signed by Amazon's own authority: see var.ca_file.
  url_options = "sslmode=verify-full&sslrootcert=${var.ca_file}"
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
  tags       = var.tags
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "Postgres of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each                     = var.client_security_group_ids
  security_group_id            = aws_security_group.this.id
  description                  = "Postgres for ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = var.tags
}

resource "aws_rds_cluster_parameter_group" "this" {
  name   = var.name
  family = "aurora-postgresql${split(".", var.engine_version)[0]}"
  tags   = var.tags

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  # An open transaction that does nothing holds back live events and vacuum.
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "60000"
  }
}

resource "aws_rds_cluster" "this" {
  cluster_identifier = var.name
  engine             = "aurora-postgresql"
  engine_mode        = "provisioned"
  engine_version     = var.engine_version
  database_name      = "broker"
  master_username    = "broker"

  master_password_wo            = var.rotated_by_rds ? null : var.password
  master_password_wo_version    = var.rotated_by_rds ? null : var.password_version
  manage_master_user_password   = var.rotated_by_rds ? true : null
  master_user_secret_kms_key_id = var.rotated_by_rds ? var.kms_key_arn : null

  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this.name
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  backup_retention_period         = var.backup_days
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protection
  skip_final_snapshot             = !var.deletion_protection
  final_snapshot_identifier       = var.deletion_protection ? "${var.name}-final" : null
  enabled_cloudwatch_logs_exports = ["postgresql"]
  tags                            = var.tags

  serverlessv2_scaling_configuration {
    min_capacity = var.min_capacity
    max_capacity = var.max_capacity
  }

  lifecycle {
    # Aurora installs minor versions by itself.
    ignore_changes = [engine_version]
  }
}

resource "aws_rds_cluster_instance" "this" {
  count                        = var.instances
  identifier                   = "${var.name}-${count.index + 1}"
  cluster_identifier           = aws_rds_cluster.this.id
  engine                       = aws_rds_cluster.this.engine
  instance_class               = "db.serverless"
  publicly_accessible          = false
  ca_cert_identifier           = "rds-ca-rsa2048-g1"
  performance_insights_enabled = true
  auto_minor_version_upgrade   = true
  promotion_tier               = count.index
  tags                         = var.tags
}

resource "aws_secretsmanager_secret" "url" {
  count                   = var.rotated_by_rds ? 0 : 1
  name                    = "${var.name}/database-url"
  description             = "DATABASE_URL of ${var.name}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "url" {
  count     = var.rotated_by_rds ? 0 : 1
  secret_id = aws_secretsmanager_secret.url[0].id
  secret_string_wo = join("", [
    "postgres://broker:${var.password}",
    "@${aws_rds_cluster.this.endpoint}:5432/broker?${local.url_options}",
  ])
  secret_string_wo_version = var.password_version
}
