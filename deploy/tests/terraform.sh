#!/bin/sh
# Formats, validates and tests the Terraform modules, without an account. The whole policy of the module iam is
# compared with that of the doctor.
#
# Terraform and the AWS provider are in no registry of packages. Where they are missing, this fails and says how
# to get them. TERRAFORM_PLUGINS=FOLDER names a mirror of providers, for machines without a network.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
: "${BROKER:?names the program upload-broker}"

command -v terraform >/dev/null || {
    echo 'terraform is missing. Install Terraform 1.11 or later from its vendor (developer.hashicorp.com/terraform/install).' >&2
    exit 1
}

export CHECKPOINT_DISABLE=1 AWS_EC2_METADATA_DISABLED=true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$here/terraform/." "$work/"
cd "$work"
unset TF_CLI_CONFIG_FILE
if [ -n "${TERRAFORM_PLUGINS:-}" ]; then
    printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$TERRAFORM_PLUGINS" > rc
    export TF_CLI_CONFIG_FILE="$work/rc"
fi

terraform fmt -check -recursive -diff .
echo 'ok  terraform: format'

terraform init -input=false -backend=false >init.log 2>&1 || {
    cat init.log >&2
    echo 'The AWS provider cannot be installed: allow registry.terraform.io, or set TERRAFORM_PLUGINS to a mirror (terraform providers mirror FOLDER).' >&2
    exit 1
}
cp -R .terraform .terraform.lock.hcl examples/complete/ 2>/dev/null
terraform -chdir=examples/complete init -input=false -backend=false >/dev/null
terraform -chdir=examples/complete validate -no-color
echo 'ok  terraform: validate'

# The policy, with everything that it depends on, as Terraform computes it and as the doctor prints it.
queue=https://sqs.eu-central-1.amazonaws.com/123456789012
cat > tests/policy.tftest.hcl <<'END'
mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}
run "the_policy_is_the_doctors" {
  command = plan
  module {
    source = "./modules/iam"
  }
  variables {
    name              = "broker"
    bucket            = "uploads"
    topic_arn         = "arn:aws:sns:eu-central-1:123456789012:broker"
    queue_arns        = ["arn:aws:sqs:eu-central-1:123456789012:events", "arn:aws:sqs:eu-central-1:123456789012:worker"]
    textract          = true
    textract_role_arn = "arn:aws:iam::123456789012:role/text"
  }
  assert {
    condition = [for statement in jsondecode(file("doctor.json")).Statement : {
      Effect = statement.Effect, Action = statement.Action, Resource = flatten([statement.Resource])
      }] == [for statement in output.policy.Statement : {
      Effect = statement.Effect, Action = statement.Action, Resource = flatten([statement.Resource])
    }]
    error_message = "the module iam allows something else than upload-broker doctor --policy prints"
  }
}
END
env -i PATH="$PATH" BROKER_S3_BUCKET=uploads AWS_REGION=eu-central-1 \
    BROKER_SNS_TOPIC_ARN=arn:aws:sns:eu-central-1:123456789012:broker \
    BROKER_S3_EVENTS_QUEUE_URL=$queue/events BROKER_WORKER_QUEUE_URL=$queue/worker \
    BROKER_PDF_ENGINE=textract BROKER_TEXTRACT_TOPIC_ARN=arn:aws:sns:eu-central-1:123456789012:text \
    BROKER_TEXTRACT_ROLE_ARN=arn:aws:iam::123456789012:role/text \
    "$BROKER" doctor --policy > doctor.json 2>/dev/null

terraform init -input=false -backend=false >/dev/null
terraform test -no-color
