mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

# deploy/tests/terraform.py compares the outputs of this file with `upload-broker doctor --policy`.

run "the_role_of_a_service_account_names_it" {
  command = plan
  module {
    source = "./modules/iam"
  }
  variables {
    name   = "broker"
    bucket = "uploads"
    oidc = {
      provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/A"
      issuer       = "oidc.example.com/id/A"
      subjects     = ["system:serviceaccount:uploads:broker"]
    }
  }
  assert {
    condition = jsondecode(aws_iam_role.broker.assume_role_policy).Statement[0].Condition.StringEquals == {
      "oidc.example.com/id/A:sub" = ["system:serviceaccount:uploads:broker"]
      "oidc.example.com/id/A:aud" = "sts.amazonaws.com"
    }
    error_message = "another service account may take the role"
  }
  assert {
    condition     = length(output.policy.Statement) == 2
    error_message = "a broker without topic and queues has more than its bucket"
  }
}

run "wildcard_subjects_are_refused" {
  command = plan
  module {
    source = "./modules/iam"
  }
  variables {
    name   = "broker"
    bucket = "uploads"
    oidc = {
      provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/A"
      issuer       = "oidc.example.com/id/A"
      subjects     = ["system:serviceaccount:*:broker"]
    }
  }
  expect_failures = [var.oidc]
}
