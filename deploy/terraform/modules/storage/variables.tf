variable "bucket" {
  description = "Name of the bucket."
  type        = string
}

variable "cors_origins" {
  description = "Origins of web pages that upload, as in BROKER_CORS_ORIGINS."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "An origin has a scheme and a host, and neither a path nor a wildcard: https://app.example.com."
  }
}

variable "abort_incomplete_days" {
  description = "Days after which S3 frees the parts of an abandoned upload; more than BROKER_SESSION_MAX_SECONDS, which is 7 days."
  type        = number
  default     = 8
  validation {
    condition     = var.abort_incomplete_days > 7
    error_message = "An upload may take 7 days (BROKER_SESSION_MAX_SECONDS): abort_incomplete_days has to be more."
  }
}

variable "notify_queue" {
  description = "Whether S3 sends its events to events_queue_arn, so that uploads complete without their client."
  type        = bool
  default     = true
}

variable "events_queue_arn" {
  description = "The queue of S3's events: the output events_queue_arn of the module queue."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "KMS key of the bucket; null: SSE-S3."
  type        = string
  default     = null
}

variable "versioning" {
  description = "Whether the bucket keeps old versions of objects."
  type        = bool
  default     = false
}

variable "noncurrent_days" {
  description = "Days that old versions are kept."
  type        = number
  default     = 30
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may remove a bucket that has objects."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
