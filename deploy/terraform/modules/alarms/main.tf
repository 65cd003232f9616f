# CloudWatch alarms for what the operator has to act on. Every alarm has a row in the runbook, named by its
# key: docs/src/guides/operators/deploy/aws-alarms.md.

locals {
  dead = { for key, names in var.queues : "${key}-dead-letters" => {
    namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
    dimensions = { QueueName = names.dead }, threshold = 0, minutes = 1, missing = "notBreaching"
    text       = "The broker gave up messages of ${names.queue}."
  } }
  late = { for key, names in var.queues : "${key}-late" => {
    namespace  = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
    dimensions = { QueueName = names.queue }, threshold = var.queue_age_seconds, minutes = 5, missing = "notBreaching"
    text       = "Messages of ${names.queue} wait."
  } }
  topic = var.topic == null ? {} : { notifications-failed = {
    namespace  = "AWS/SNS", metric = "NumberOfNotificationsFailed", statistic = "Sum"
    dimensions = { TopicName = var.topic.name }, threshold = 0, minutes = 5, missing = "notBreaching"
    text       = "SNS could not deliver notifications to a subscriber."
  } }
  balancer = var.load_balancer == null ? {} : {
    answers-5xx = {
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum"
      dimensions = { LoadBalancer = var.load_balancer.name }, threshold = var.errors_per_minute, minutes = 5
      missing    = "notBreaching", text = "The brokers answer with 5xx."
    }
    no-broker = {
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum"
      dimensions = { LoadBalancer = var.load_balancer.name }, threshold = var.errors_per_minute, minutes = 5
      missing    = "notBreaching", text = "The load balancer finds no broker that answers."
    }
  }
  health = { for key, name in var.environments : "${key}-health" => {
    # 15 is Warning, 20 Degraded, 25 Severe.
    namespace  = "AWS/ElasticBeanstalk", metric = "EnvironmentHealth", statistic = "Maximum"
    dimensions = { EnvironmentName = name }, threshold = 15, minutes = 5, missing = "breaching"
    text       = "The environment ${name} is degraded, or reports nothing."
  } }
  database = var.database == null ? {} : {
    database-capacity = {
      namespace  = "AWS/RDS", metric = "ACUUtilization", statistic = "Average"
      dimensions = { DBClusterIdentifier = var.database.cluster }, threshold = 90, minutes = 10, missing = "breaching"
      text       = "The database is near its largest capacity, or reports nothing."
    }
    database-cpu = {
      namespace  = "AWS/RDS", metric = "CPUUtilization", statistic = "Average"
      dimensions = { DBClusterIdentifier = var.database.cluster }, threshold = 90, minutes = 10, missing = "breaching"
      text       = "The database computes without pause."
    }
    database-connections = {
      namespace  = "AWS/RDS", metric = "DatabaseConnections", statistic = "Maximum"
      dimensions = { DBClusterIdentifier = var.database.cluster }, threshold = var.database_connections, minutes = 5
      missing    = "notBreaching", text = "The database has almost all connections that it allows."
    }
  }
  alarms = merge(local.dead, local.late, local.topic, local.balancer, local.health, local.database)
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.text} Runbook: ${var.runbook}#${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  dimensions          = each.value.dimensions
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = var.actions
  ok_actions          = var.actions
  tags                = var.tags
}
