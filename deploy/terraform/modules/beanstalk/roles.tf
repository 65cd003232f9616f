# Instances have the role of the broker. What Elastic Beanstalk needs on them is added here, apart from the
# policy of the broker.

resource "aws_iam_instance_profile" "this" {
  name = "${var.name}-instances"
  role = var.role_name
  tags = var.tags
}

resource "aws_iam_role_policy" "instances" {
  name = "elastic-beanstalk"
  role = var.role_name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "DatabaseUrl"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = var.database_url_secret_arn
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutRetentionPolicy"]
        Resource = "arn:${local.partition}:logs:*:${local.account}:log-group:/aws/elasticbeanstalk/*"
      },
      {
        Sid      = "Health"
        Effect   = "Allow"
        Action   = ["elasticbeanstalk:PutInstanceStatistics"]
        Resource = "arn:${local.partition}:elasticbeanstalk:*:${local.account}:*/${var.name}*"
      },
      {
        Sid      = "Bundles"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = ["arn:${local.partition}:s3:::elasticbeanstalk-*-${local.account}/*", "${aws_s3_bucket.bundles.arn}/*"]
      },
      {
        # Every environment of the worker tier has a queue for Elastic Beanstalk's own daemon. It stays empty:
        # workers read their queue themselves.
        Sid      = "QueueOfTheTier"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
        Resource = "arn:${local.partition}:sqs:*:${local.account}:awseb-e-*"
      },
      {
        Sid       = "Image"
        Effect    = "Allow"
        Action    = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:ResourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_iam_role" "service" {
  name = "${var.name}-beanstalk"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "elasticbeanstalk.amazonaws.com" }
      Condition = { StringEquals = { "sts:ExternalId" = "elasticbeanstalk" } }
    }]
  })
  tags = var.tags
}

resource "aws_iam_role_policy_attachment" "service" {
  for_each = toset([
    "service-role/AWSElasticBeanstalkEnhancedHealth",
    "AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy",
  ])
  role       = aws_iam_role.service.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.value}"
}
