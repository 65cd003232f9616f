mock_provider "aws" {}

run "the_database_is_encrypted_and_kept" {
  command = plan
  module {
    source = "./modules/database"
  }
  variables {
    name                      = "broker"
    password                  = "not-a-real-one"
    vpc_id                    = "vpc-1"
    subnet_ids                = ["subnet-1", "subnet-2"]
    client_security_group_ids = { instances = "sg-1" }
  }
  assert {
    condition     = aws_rds_cluster.this.storage_encrypted && aws_rds_cluster.this.deletion_protection && !aws_rds_cluster.this.skip_final_snapshot
    error_message = "the database can be lost"
  }
  assert {
    condition     = contains([for parameter in aws_rds_cluster_parameter_group.this.parameter : "${parameter.name}=${parameter.value}"], "rds.force_ssl=1")
    error_message = "the database accepts connections without TLS"
  }
  assert {
    condition     = aws_rds_cluster.this.master_password == null && length(aws_rds_cluster_instance.this) == 2
    error_message = "the password is in the state, or there is no reader that takes over"
  }
  assert {
    condition     = strcontains(local.url_options, "sslmode=verify-full")
    error_message = "the broker does not check whom it connects to"
  }
}

run "rds_rotates_the_password" {
  command = plan
  module {
    source = "./modules/database"
  }
  variables {
    name                      = "broker"
    rotated_by_rds            = true
    vpc_id                    = "vpc-1"
    subnet_ids                = ["subnet-1", "subnet-2"]
    client_security_group_ids = { instances = "sg-1" }
  }
  assert {
    condition     = aws_rds_cluster.this.manage_master_user_password && length(aws_secretsmanager_secret.url) == 0
    error_message = "RDS does not manage the password, or a second secret has it"
  }
}

run "one_subnet_is_refused" {
  command = plan
  module {
    source = "./modules/database"
  }
  variables {
    name                      = "broker"
    password                  = "not-a-real-one"
    vpc_id                    = "vpc-1"
    subnet_ids                = ["subnet-1"]
    client_security_group_ids = {}
  }
  expect_failures = [var.subnet_ids]
}
