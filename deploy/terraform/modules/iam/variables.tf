variable "name" {
  description = "Name of the role."
  type        = string
}

variable "bucket" {
  description = "BROKER_S3_BUCKET."
  type        = string
}

variable "tenant_buckets" {
  description = "Buckets of tenants that have their own."
  type        = list(string)
  default     = []
}

variable "topic_arn" {
  description = "BROKER_SNS_TOPIC_ARN."
  type        = string
  default     = null
}

variable "queue_arns" {
  description = "The queues of BROKER_S3_EVENTS_QUEUE_URL and BROKER_WORKER_QUEUE_URL."
  type        = list(string)
  default     = []
}

variable "textract" {
  description = "Whether BROKER_PDF_ENGINE is textract."
  type        = bool
  default     = false
}

variable "textract_role_arn" {
  description = "BROKER_TEXTRACT_ROLE_ARN."
  type        = string
  default     = null
}

variable "object_tags" {
  description = "Whether uploads declare tags."
  type        = bool
  default     = false
}

variable "kms_key_arns" {
  description = "KMS keys of the bucket and of the topic."
  type        = list(string)
  default     = []
}

variable "oidc" {
  description = "For a service account of a cluster: the provider, its issuer without https://, and the subjects (system:serviceaccount:NAMESPACE:NAME); null: EC2 instances."
  type = object({
    provider_arn = string
    issuer       = string
    subjects     = list(string)
  })
  default = null
  validation {
    condition     = var.oidc == null ? true : !startswith(var.oidc.issuer, "https://") && alltrue([for subject in var.oidc.subjects : can(regex("^system:serviceaccount:[^:*]+:[^:*]+$", subject))])
    error_message = "issuer has no https://, and each subject is system:serviceaccount:NAMESPACE:NAME without wildcards."
  }
}

variable "max_session_seconds" {
  description = "Longest session of the role. A pre-signed URL lives no longer than the credentials that signed it."
  type        = number
  default     = 43200
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
