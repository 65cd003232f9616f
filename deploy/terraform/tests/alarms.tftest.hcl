mock_provider "aws" {}

# The keys are the headings of docs/src/guides/operators/deploy/aws-alarms.md.
run "every_alarm_has_an_action_and_a_page" {
  command = plan
  module {
    source = "./modules/alarms"
  }
  variables {
    name          = "broker"
    actions       = ["arn:aws:sns:eu-central-1:123456789012:operators"]
    queues        = { s3-events = { queue = "a", dead = "b" }, worker = { queue = "c", dead = "d" } }
    topic         = { name = "broker" }
    load_balancer = { name = "app/a/b" }
    environments  = { web = "e", worker = "f" }
    database      = { cluster = "broker" }
  }
  assert {
    condition = keys(aws_cloudwatch_metric_alarm.this) == [
      "answers-5xx",
      "database-capacity",
      "database-connections",
      "database-cpu",
      "no-broker",
      "notifications-failed",
      "s3-events-dead-letters",
      "s3-events-late",
      "web-health",
      "worker-dead-letters",
      "worker-health",
      "worker-late",
    ]
    error_message = "other alarms than the runbook describes"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["worker-dead-letters"].dimensions == tomap({ QueueName = "d" })
    error_message = "the alarm of the dead-letter queue watches another queue"
  }
}

run "alarms_without_an_action_are_refused" {
  command = plan
  module {
    source = "./modules/alarms"
  }
  variables {
    name    = "broker"
    actions = []
  }
  expect_failures = [var.actions]
}
