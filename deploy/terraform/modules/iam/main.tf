# The role of the broker and the worker, with the policy that `upload-broker doctor --policy` prints, and no
# more. Extras are added by name: tags, KMS keys.

data "aws_partition" "current" {}

locals {
  buckets = [for bucket in concat([var.bucket], var.tenant_buckets) :
  "arn:${data.aws_partition.current.partition}:s3:::${bucket}"]

  # As the doctor prints them: one resource as a text, several as a list.
  objects = [for arn in local.buckets : "${arn}/*"]

  object_actions  = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
  listing_actions = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
  publish_actions = ["sns:Publish"]
  queue_actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
  text_actions    = ["textract:StartDocumentTextDetection", "textract:GetDocumentTextDetection"]
  pass_actions    = ["iam:PassRole"]
  tag_actions     = ["s3:PutObjectTagging", "s3:GetObjectTagging"]
  key_actions     = ["kms:GenerateDataKey", "kms:Decrypt"]

  statements = [
    { when = true, actions = local.object_actions, resources = local.objects },
    { when = true, actions = local.listing_actions, resources = local.buckets },
    { when = var.topic_arn != null, actions = local.publish_actions, resources = [var.topic_arn] },
    { when = length(var.queue_arns) > 0, actions = local.queue_actions, resources = var.queue_arns },
    # These actions have no resources.
    { when = var.textract, actions = local.text_actions, resources = ["*"] },
    { when = var.textract_role_arn != null, actions = local.pass_actions, resources = [var.textract_role_arn] },
    { when = var.object_tags, actions = local.tag_actions, resources = local.objects },
    { when = length(var.kms_key_arns) > 0, actions = local.key_actions, resources = var.kms_key_arns },
  ]

  policy = {
    Version = "2012-10-17"
    Statement = [for statement in local.statements : {
      Effect   = "Allow"
      Action   = statement.actions
      Resource = statement.resources
    } if statement.when]
  }

  # An EC2 instance (Elastic Beanstalk), or a service account of a cluster (IRSA).
  trust = var.oidc == null ? {
    Effect    = "Allow"
    Action    = "sts:AssumeRole"
    Principal = { Service = "ec2.amazonaws.com" }
    Condition = {}
    } : {
    Effect    = "Allow"
    Action    = "sts:AssumeRoleWithWebIdentity"
    Principal = { Federated = var.oidc.provider_arn }
    Condition = { StringEquals = {
      "${var.oidc.issuer}:sub" = var.oidc.subjects
      "${var.oidc.issuer}:aud" = "sts.amazonaws.com"
    } }
  }
}

resource "aws_iam_role" "broker" {
  name                 = var.name
  max_session_duration = var.max_session_seconds
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ for key, value in local.trust : key => value if value != {} }]
  })
  tags = var.tags
}

resource "aws_iam_role_policy" "broker" {
  name   = "upload-broker"
  role   = aws_iam_role.broker.id
  policy = jsonencode(local.policy)
}
