variable "name" {
  description = "Start of the names of the alarms."
  type        = string
}

variable "actions" {
  description = "ARNs that are called when an alarm starts and ends, such as an SNS topic of the people on call."
  type        = list(string)
  validation {
    condition     = length(var.actions) > 0
    error_message = "An alarm without an action reaches no one."
  }
}

variable "queues" {
  description = "Queues and their dead-letter queues: the output queue_names of the module queue."
  type        = map(object({ queue = string, dead = string }))
  default     = {}
}

# These are objects, because their names may be known only after an apply, while Terraform has to know before
# which alarms there are.
variable "topic" {
  description = "The topic of the notifications."
  type        = object({ name = string })
  default     = null
}

variable "load_balancer" {
  description = "The load balancer, by the end of its ARN: app/NAME/ID."
  type        = object({ name = string })
  default     = null
}

variable "environments" {
  description = "Names of the Elastic Beanstalk environments, by a key."
  type        = map(string)
  default     = {}
}

variable "database" {
  description = "The Aurora cluster."
  type        = object({ cluster = string })
  default     = null
}

variable "queue_age_seconds" {
  description = "Age of the oldest message above which a queue is late."
  type        = number
  default     = 300
}

variable "errors_per_minute" {
  description = "Answers with 5xx per minute that are no alarm."
  type        = number
  default     = 5
}

variable "database_connections" {
  description = "Connections of the cluster above which the alarm starts; BROKER_DB_POOL_SIZE for each process."
  type        = number
  default     = 400
}

variable "runbook" {
  description = "Address of the page that says what to do."
  type        = string
  default     = "docs/src/guides/operators/deploy/aws-alarms.md"
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
