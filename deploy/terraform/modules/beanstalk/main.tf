# Elastic Beanstalk, Docker platform: an environment of brokers behind a load balancer with TLS, and one of
# workers. Both run the same bundle (`make beanstalk-bundle`); BROKER_ROLES says what they are.

data "aws_region" "current" {}
data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

data "aws_elastic_beanstalk_solution_stack" "docker" {
  most_recent = true
  name_regex  = "^64bit Amazon Linux 2023 v[0-9.]+ running Docker$"
}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  version   = "${var.image_tag}-${substr(filemd5(var.bundle), 0, 12)}"

  common = [
    ["aws:ec2:vpc", "VPCId", var.vpc_id],
    ["aws:ec2:vpc", "Subnets", join(",", sort(var.private_subnet_ids))],
    ["aws:ec2:vpc", "AssociatePublicIpAddress", "false"],
    ["aws:autoscaling:launchconfiguration", "IamInstanceProfile", aws_iam_instance_profile.this.name],
    ["aws:autoscaling:launchconfiguration", "SecurityGroups", aws_security_group.instances.id],
    ["aws:autoscaling:launchconfiguration", "DisableIMDSv1", "true"],
    ["aws:autoscaling:launchconfiguration", "RootVolumeType", "gp3"],
    ["aws:autoscaling:launchconfiguration", "RootVolumeSize", "40"],
    ["aws:ec2:instances", "InstanceTypes", join(",", var.instance_types)],
    ["aws:elasticbeanstalk:environment", "ServiceRole", aws_iam_role.service.arn],
    ["aws:elasticbeanstalk:healthreporting:system", "SystemType", "enhanced"],
    ["aws:elasticbeanstalk:cloudwatch:logs", "StreamLogs", "true"],
    ["aws:elasticbeanstalk:cloudwatch:logs", "RetentionInDays", tostring(var.log_days)],
    ["aws:elasticbeanstalk:cloudwatch:logs", "DeleteOnTerminate", "false"],
    ["aws:elasticbeanstalk:cloudwatch:logs:health", "HealthStreamingEnabled", "true"],
    ["aws:elasticbeanstalk:cloudwatch:logs:health", "RetentionInDays", tostring(var.log_days)],
    ["aws:elasticbeanstalk:command", "BatchSizeType", "Fixed"],
    ["aws:elasticbeanstalk:command", "BatchSize", "1"],
    ["aws:elasticbeanstalk:application:environmentsecrets", "DATABASE_URL", var.database_url_secret_arn],
  ]

  web = [
    ["aws:elasticbeanstalk:environment", "LoadBalancerType", "application"],
    ["aws:ec2:vpc", "ELBSubnets", join(",", sort(var.public_subnet_ids))],
    ["aws:elbv2:listener:default", "ListenerEnabled", "false"],
    ["aws:elbv2:listener:443", "Protocol", "HTTPS"],
    ["aws:elbv2:listener:443", "SSLCertificateArns", var.certificate_arn],
    ["aws:elbv2:listener:443", "SSLPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06"],
    # A broker without Postgres or S3 gets no requests.
    ["aws:elasticbeanstalk:environment:process:default", "HealthCheckPath", "/readyz"],
    ["aws:elasticbeanstalk:environment:process:default", "HealthCheckInterval", "10"],
    ["aws:elasticbeanstalk:environment:process:default", "HealthCheckTimeout", "5"],
    ["aws:elasticbeanstalk:environment:process:default", "MatcherHTTPCode", "200"],
    # A request takes 30 s at most.
    ["aws:elasticbeanstalk:environment:process:default", "DeregistrationDelay", "30"],
    # A new instance takes over before an old one stops.
    ["aws:elasticbeanstalk:command", "DeploymentPolicy", "RollingWithAdditionalBatch"],
    ["aws:autoscaling:updatepolicy:rollingupdate", "RollingUpdateEnabled", "true"],
    ["aws:autoscaling:updatepolicy:rollingupdate", "RollingUpdateType", "Health"],
    ["aws:autoscaling:asg", "MinSize", tostring(var.web_instances.min)],
    ["aws:autoscaling:asg", "MaxSize", tostring(var.web_instances.max)],
    ["aws:autoscaling:trigger", "MeasureName", "CPUUtilization"],
    ["aws:autoscaling:trigger", "Statistic", "Average"],
    ["aws:autoscaling:trigger", "Unit", "Percent"],
    ["aws:autoscaling:trigger", "UpperThreshold", "60"],
    ["aws:autoscaling:trigger", "LowerThreshold", "20"],
  ]

  worker = [
    ["aws:elasticbeanstalk:command", "DeploymentPolicy", "Rolling"],
    ["aws:autoscaling:asg", "MinSize", tostring(var.worker_instances.min)],
    ["aws:autoscaling:asg", "MaxSize", tostring(var.worker_instances.max)],
    ["aws:autoscaling:trigger", "MeasureName", "CPUUtilization"],
    ["aws:autoscaling:trigger", "Statistic", "Average"],
    ["aws:autoscaling:trigger", "Unit", "Percent"],
    ["aws:autoscaling:trigger", "UpperThreshold", "70"],
    ["aws:autoscaling:trigger", "LowerThreshold", "10"],
  ]

  # Settings of the broker. Those of the caller come last, and win.
  broker = merge({
    AWS_REGION       = data.aws_region.current.name
    BROKER_S3_BUCKET = var.bucket
    # nginx of the bundle, and the load balancer.
    BROKER_TRUSTED_PROXIES = "172.30.80.0/24,${var.vpc_cidr}"
    # The load balancer notices within 20 s that a broker stops.
    BROKER_STOP_DELAY_SECONDS = "10"
  }, var.settings)

  settings = {
    web = concat(local.common, local.web, [for name, value in merge(local.broker, {
      BROKER_ROLES = "http,relay,janitor,events"
    }) : ["aws:elasticbeanstalk:application:environment", name, value]])
    worker = concat(local.common, local.worker, [for name, value in merge(local.broker, {
      BROKER_ROLES   = "worker"
      BROKER_MIGRATE = "false"
    }) : ["aws:elasticbeanstalk:application:environment", name, value]])
  }
}

resource "aws_s3_bucket" "bundles" {
  bucket = "${var.name}-bundles-${local.account}"
  tags   = var.tags
}

resource "aws_s3_bucket_public_access_block" "bundles" {
  bucket                  = aws_s3_bucket.bundles.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_object" "bundle" {
  bucket = aws_s3_bucket.bundles.id
  key    = "${local.version}.zip"
  source = var.bundle
  etag   = filemd5(var.bundle)
  tags   = var.tags
}

resource "aws_elastic_beanstalk_application" "this" {
  name        = var.name
  description = "upload-broker"
  tags        = var.tags
  appversion_lifecycle {
    service_role          = aws_iam_role.service.arn
    max_count             = 20
    delete_source_from_s3 = false
  }
}

resource "aws_elastic_beanstalk_application_version" "this" {
  name        = local.version
  application = aws_elastic_beanstalk_application.this.name
  bucket      = aws_s3_bucket.bundles.id
  key         = aws_s3_object.bundle.key
  tags        = var.tags
}

resource "aws_security_group" "instances" {
  name        = "${var.name}-instances"
  description = "Brokers and workers of ${var.name}. The load balancer's own group opens port 80."
  vpc_id      = var.vpc_id
  tags        = var.tags
}

resource "aws_vpc_security_group_egress_rule" "instances" {
  security_group_id = aws_security_group.instances.id
  description       = "Postgres, AWS, the registry of the image, webhooks"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
  tags              = var.tags
}

resource "aws_elastic_beanstalk_environment" "this" {
  for_each            = local.settings
  name                = "${var.name}-${each.key}"
  application         = aws_elastic_beanstalk_application.this.name
  tier                = each.key == "web" ? "WebServer" : "Worker"
  version_label       = aws_elastic_beanstalk_application_version.this.name
  solution_stack_name = data.aws_elastic_beanstalk_solution_stack.docker.name
  tags                = var.tags

  dynamic "setting" {
    for_each = { for entry in each.value : "${entry[0]}/${entry[1]}" => entry }
    content {
      namespace = setting.value[0]
      name      = setting.value[1]
      value     = setting.value[2]
    }
  }

  lifecycle {
    # Platform updates are installed when you choose, not by the next plan.
    ignore_changes = [solution_stack_name]
  }

  depends_on = [aws_iam_role_policy.instances, aws_iam_role_policy_attachment.service]
}
