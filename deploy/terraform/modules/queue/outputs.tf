output "topic_arn" {
  description = "BROKER_SNS_TOPIC_ARN."
  value       = aws_sns_topic.events.arn
}

output "events_queue_url" {
  description = "BROKER_S3_EVENTS_QUEUE_URL."
  value       = aws_sqs_queue.this["s3-events"].url
}

output "events_queue_arn" {
  description = "The queue of S3's events. S3 accepts it as soon as its policy is there."
  value       = aws_sqs_queue.this["s3-events"].arn
  depends_on  = [aws_sqs_queue_policy.this]
}

output "worker_queue_url" {
  description = "BROKER_WORKER_QUEUE_URL."
  value       = aws_sqs_queue.this["worker"].url
}

output "worker_queue_arn" {
  description = "The queue that wakes workers."
  value       = aws_sqs_queue.this["worker"].arn
}

output "queue_names" {
  description = "Names of the queues, and of their dead-letter queues, for alarms."
  value = {
    for key in local.queues : key => { queue = aws_sqs_queue.this[key].name, dead = aws_sqs_queue.dead[key].name }
  }
}
