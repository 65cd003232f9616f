output "alarms" {
  description = "ARNs of the alarms, by the key that the runbook names."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.arn }
}
