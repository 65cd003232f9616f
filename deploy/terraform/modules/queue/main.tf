# The topic of the notifications, the queue of S3's events and the queue that wakes workers, each with a
# dead-letter queue and a policy for exactly one sender.

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

locals {
  bucket_arn = "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}"
  account    = data.aws_caller_identity.current.account_id
  queues     = toset(["s3-events", "worker"])
}

resource "aws_sns_topic" "events" {
  name                        = var.fifo ? "${var.name}.fifo" : var.name
  fifo_topic                  = var.fifo
  content_based_deduplication = false
  kms_master_key_id           = var.topic_kms_key_id
  tags                        = var.tags
}

resource "aws_sns_topic_policy" "events" {
  arn = aws_sns_topic.events.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${local.account}:root" }
        Action    = ["sns:Publish", "sns:Subscribe", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"]
        Resource  = aws_sns_topic.events.arn
      },
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.events.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sqs_queue" "dead" {
  for_each = local.queues
  # A FIFO topic delivers to standard queues as well.
  name                      = "${var.name}-${each.key}-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = var.tags
}

resource "aws_sqs_queue" "this" {
  for_each                  = local.queues
  name                      = "${var.name}-${each.key}"
  message_retention_seconds = 345600
  receive_wait_time_seconds = 20
  sqs_managed_sse_enabled   = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    # The broker postpones messages for longer each time: 10 receives take more than an hour.
    maxReceiveCount = 10
  })
  tags = var.tags
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  for_each  = local.queues
  queue_url = aws_sqs_queue.dead[each.key].id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this[each.key].arn]
  })
}

resource "aws_sqs_queue_policy" "this" {
  for_each  = local.queues
  queue_url = aws_sqs_queue.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Sender"
        Effect    = "Allow"
        Principal = { Service = each.key == "worker" ? "sns.amazonaws.com" : "s3.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.this[each.key].arn
        Condition = merge(
          { ArnEquals = { "aws:SourceArn" = each.key == "worker" ? aws_sns_topic.events.arn : local.bucket_arn } },
          # The name of a bucket that was removed may be taken by another account.
          each.key == "worker" ? {} : { StringEquals = { "aws:SourceAccount" = local.account } },
        )
      },
      {
        Sid       = "OnlyTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.this[each.key].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# Workers need to know of datasets that have arrived, and of nothing else.
resource "aws_sns_topic_subscription" "worker" {
  topic_arn            = aws_sns_topic.events.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.this["worker"].arn
  raw_message_delivery = true
  filter_policy        = jsonencode({ type = ["dataset.uploaded"] })
  depends_on           = [aws_sqs_queue_policy.this]
}
