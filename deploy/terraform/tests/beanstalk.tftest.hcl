mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
}

variables {
  name                    = "broker"
  bundle                  = "versions.tf"
  image_tag               = "1"
  vpc_id                  = "vpc-1"
  vpc_cidr                = "10.0.0.0/16"
  public_subnet_ids       = ["subnet-1", "subnet-2"]
  private_subnet_ids      = ["subnet-3", "subnet-4"]
  certificate_arn         = "arn:aws:acm:eu-central-1:123456789012:certificate/a"
  role_name               = "broker"
  database_url_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a"
  bucket                  = "uploads"
}

run "web_and_worker_differ_in_their_roles_only_where_they_have_to" {
  command = plan
  module {
    source = "./modules/beanstalk"
  }
  variables {
    settings = { BROKER_SNS_TOPIC_ARN = "arn:aws:sns:eu-central-1:123456789012:a" }
  }
  assert {
    condition     = [for entry in local.settings.web : entry[2] if entry[1] == "BROKER_ROLES"] == ["http,relay,janitor,events"]
    error_message = "the web environment has other roles"
  }
  assert {
    condition     = [for entry in local.settings.worker : entry[2] if entry[1] == "BROKER_ROLES"] == ["worker"]
    error_message = "the worker environment has other roles"
  }
  assert {
    condition     = [for entry in local.settings.web : entry[2] if entry[1] == "HealthCheckPath"] == ["/readyz"]
    error_message = "the load balancer does not ask whether a broker is ready"
  }
  assert {
    condition     = aws_elastic_beanstalk_environment.this["worker"].tier == "Worker"
    error_message = "workers are behind a load balancer"
  }
  assert {
    condition     = alltrue([for entries in local.settings : length(entries) == length(distinct([for entry in entries : "${entry[0]}/${entry[1]}"]))])
    error_message = "a setting is there twice"
  }
}

run "secrets_among_the_settings_are_refused" {
  command = plan
  module {
    source = "./modules/beanstalk"
  }
  variables {
    settings = { BROKER_TOKEN_SECRET = "a" }
  }
  expect_failures = [var.settings]
}
