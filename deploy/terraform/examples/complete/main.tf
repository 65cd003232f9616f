# Everything in an empty account: network, bucket, topic and queues, role, database, Elastic Beanstalk, alarms.
#
#   make beanstalk-bundle IMAGE=ACCOUNT.dkr.ecr.REGION.amazonaws.com/upload-broker:0.1.0 RDS_CA=global-bundle.pem
#   terraform -chdir=deploy/terraform/examples/complete init
#   terraform -chdir=deploy/terraform/examples/complete apply

provider "aws" {
  region = var.region
  default_tags {
    tags = { application = var.name }
  }
}

data "aws_caller_identity" "current" {}

locals {
  bucket = "${var.name}-uploads-${data.aws_caller_identity.current.account_id}"
}

module "queue" {
  source = "../../modules/queue"
  name   = var.name
  bucket = local.bucket
}

module "storage" {
  source           = "../../modules/storage"
  bucket           = local.bucket
  cors_origins     = var.cors_origins
  events_queue_arn = module.queue.events_queue_arn
}

module "iam" {
  source     = "../../modules/iam"
  name       = var.name
  bucket     = module.storage.bucket
  topic_arn  = module.queue.topic_arn
  queue_arns = [module.queue.events_queue_arn, module.queue.worker_queue_arn]
}

# Made anew by each run of Terraform, and used only if password_version has changed.
ephemeral "aws_secretsmanager_random_password" "database" {
  password_length     = 40
  exclude_punctuation = true
}

module "database" {
  source                    = "../../modules/database"
  name                      = var.name
  vpc_id                    = aws_vpc.this.id
  subnet_ids                = [for subnet in aws_subnet.private : subnet.id]
  client_security_group_ids = { instances = module.beanstalk.security_group_id }
  password                  = ephemeral.aws_secretsmanager_random_password.database.random_password
  password_version          = var.password_version
  deletion_protection       = var.deletion_protection
}

module "beanstalk" {
  source                  = "../../modules/beanstalk"
  name                    = var.name
  bundle                  = var.bundle
  image_tag               = var.image_tag
  vpc_id                  = aws_vpc.this.id
  vpc_cidr                = aws_vpc.this.cidr_block
  public_subnet_ids       = [for subnet in aws_subnet.public : subnet.id]
  private_subnet_ids      = [for subnet in aws_subnet.private : subnet.id]
  certificate_arn         = var.certificate_arn
  role_name               = module.iam.role_name
  database_url_secret_arn = module.database.url_secret_arn
  bucket                  = module.storage.bucket
  settings = merge({
    BROKER_SNS_TOPIC_ARN       = module.queue.topic_arn
    BROKER_S3_EVENTS_QUEUE_URL = module.queue.events_queue_url
    BROKER_WORKER_QUEUE_URL    = module.queue.worker_queue_url
  }, length(var.cors_origins) > 0 ? { BROKER_CORS_ORIGINS = join(",", var.cors_origins) } : {}, var.settings)
}

module "alarms" {
  source        = "../../modules/alarms"
  name          = var.name
  actions       = [aws_sns_topic.operators.arn]
  queues        = module.queue.queue_names
  topic         = { name = var.name }
  load_balancer = { name = module.beanstalk.load_balancer }
  environments  = module.beanstalk.environments
  database      = { cluster = module.database.cluster }
}

resource "aws_sns_topic" "operators" {
  name = "${var.name}-operators"
}

resource "aws_sns_topic_subscription" "operators" {
  topic_arn = aws_sns_topic.operators.arn
  protocol  = "email"
  endpoint  = var.operator_email
}
