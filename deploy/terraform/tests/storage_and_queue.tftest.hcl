mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:broker" }
  }
}

run "the_bucket_is_private_and_its_parts_are_freed_late" {
  command = plan
  module {
    source = "./modules/storage"
  }
  variables {
    bucket           = "uploads"
    cors_origins     = ["https://app.example.com"]
    events_queue_arn = "arn:aws:sqs:eu-central-1:123456789012:a"
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.uploads.block_public_acls,
      aws_s3_bucket_public_access_block.uploads.block_public_policy,
      aws_s3_bucket_public_access_block.uploads.ignore_public_acls,
      aws_s3_bucket_public_access_block.uploads.restrict_public_buckets,
    ])
    error_message = "the bucket can be made public"
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.uploads.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 8
    error_message = "parts are freed before an upload has to be complete"
  }
  assert {
    condition     = toset(one(aws_s3_bucket_cors_configuration.uploads[0].cors_rule).expose_headers) == toset(["ETag"])
    error_message = "pages cannot read the ETag of a part"
  }
  assert {
    condition     = toset(aws_s3_bucket_notification.uploads[0].queue[0].events) == toset(["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"])
    error_message = "the broker does not learn of all changes"
  }
}

run "a_short_period_for_parts_and_a_wildcard_origin_are_refused" {
  command = plan
  module {
    source = "./modules/storage"
  }
  variables {
    bucket                = "uploads"
    abort_incomplete_days = 7
    cors_origins          = ["*"]
    notify_queue          = false
  }
  expect_failures = [var.abort_incomplete_days, var.cors_origins]
}

run "each_queue_has_one_sender_and_a_dead_letter_queue" {
  module {
    source = "./modules/queue"
  }
  variables {
    name   = "broker"
    bucket = "uploads"
  }
  assert {
    condition     = jsondecode(aws_sqs_queue_policy.this["s3-events"].policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == "arn:aws:s3:::uploads"
    error_message = "another bucket may send to the queue"
  }
  assert {
    condition     = jsondecode(aws_sqs_queue_policy.this["s3-events"].policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "a bucket of another account may send to the queue"
  }
  assert {
    condition     = jsondecode(aws_sqs_queue_policy.this["worker"].policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == aws_sns_topic.events.arn
    error_message = "another topic may send to the queue of the workers"
  }
  assert {
    condition = alltrue([for key in ["s3-events", "worker"] :
      jsondecode(aws_sqs_queue.this[key].redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead[key].arn, maxReceiveCount = 10 }
    ])
    error_message = "messages that cannot be read return for ever"
  }
}
