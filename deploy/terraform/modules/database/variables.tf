variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the database."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets in at least two availability zones."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Aurora needs subnets in at least two availability zones."
  }
}

variable "client_security_group_ids" {
  description = "Security groups that may connect, by a name that is known before they are made."
  type        = map(string)
}

variable "engine_version" {
  description = "Version of Aurora PostgreSQL."
  type        = string
  default     = "17.4"
}

variable "instances" {
  description = "Number of instances: the writer, and readers that become the writer if it fails."
  type        = number
  default     = 2
  validation {
    condition     = var.instances >= 1
    error_message = "There has to be a writer."
  }
}

variable "min_capacity" {
  description = "Least capacity in ACU. 0 pauses the database when it is idle; the broker is never idle."
  type        = number
  default     = 0.5
}

variable "max_capacity" {
  description = "Most capacity in ACU."
  type        = number
  default     = 8
  validation {
    condition     = var.max_capacity >= var.min_capacity
    error_message = "max_capacity has to be at least min_capacity."
  }
}

variable "rotated_by_rds" {
  description = "Whether RDS makes the password and rotates it every week. Only for brokers that read it from a file, which follows the secret; Elastic Beanstalk hands secrets out when an instance starts, and never again."
  type        = bool
  default     = false
}

variable "password" {
  description = "The password of the broker, from an ephemeral resource, without characters that a URL has to escape. Not used with rotated_by_rds."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true
}

variable "password_version" {
  description = "A number. With a new one, the password is written to the cluster and the secret."
  type        = number
  default     = 1
}

variable "ca_file" {
  description = "Path of the certificates of RDS where the broker runs."
  type        = string
  default     = "/etc/upload-broker/rds.pem"
}

variable "backup_days" {
  description = "Days of backups."
  type        = number
  default     = 14
}

variable "deletion_protection" {
  description = "Whether the cluster, its last snapshot and its secret are kept from removal."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "KMS key of the storage and of the secret; null: the AWS managed keys."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
