variable "name" {
  description = "Name of the application, and start of the names of its environments."
  type        = string
}

variable "bundle" {
  description = "Path of the bundle that `make beanstalk-bundle` has made."
  type        = string
}

variable "image_tag" {
  description = "Version of the image in the bundle, for the label of the application version."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the instances."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: the load balancer, which the broker trusts, is among them."
  type        = string
}

variable "public_subnet_ids" {
  description = "Subnets of the load balancer."
  type        = list(string)
}

variable "private_subnet_ids" {
  description = "Subnets of the instances, with a way to AWS and to the registry of the image."
  type        = list(string)
}

variable "certificate_arn" {
  description = "Certificate of the load balancer."
  type        = string
}

variable "role_name" {
  description = "The role of the broker: the output role_name of the module iam."
  type        = string
}

variable "database_url_secret_arn" {
  description = "The output url_secret_arn of the module database. Elastic Beanstalk reads it when an instance starts."
  type        = string
}

variable "bucket" {
  description = "BROKER_S3_BUCKET."
  type        = string
}

variable "settings" {
  description = "Further settings of the broker, such as BROKER_SNS_TOPIC_ARN."
  type        = map(string)
  default     = {}
  validation {
    condition     = alltrue([for name, _ in var.settings : !strcontains(name, "SECRET") && name != "DATABASE_URL"])
    error_message = "Elastic Beanstalk shows these settings to everyone who may read the environment: secrets do not belong here."
  }
}

variable "instance_types" {
  description = "Instance types, the preferred one first."
  type        = list(string)
  default     = ["t3.small"]
}

variable "web_instances" {
  description = "Least and most instances of brokers."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 6 }
}

variable "worker_instances" {
  description = "Least and most instances of workers."
  type        = object({ min = number, max = number })
  default     = { min = 1, max = 4 }
}

variable "log_days" {
  description = "Days that CloudWatch keeps the logs."
  type        = number
  default     = 30
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
