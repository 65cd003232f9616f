variable "name" {
  description = "Name of the topic, and start of the names of the queues."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket whose events go to the queue."
  type        = string
}

variable "fifo" {
  description = "Whether the topic is FIFO: the notifications of one upload then arrive in order."
  type        = bool
  default     = false
}

variable "topic_kms_key_id" {
  description = "KMS key of the topic. The role of the broker then needs it in kms_key_arns; null: not encrypted at rest."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
}
