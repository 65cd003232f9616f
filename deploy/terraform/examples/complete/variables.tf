variable "name" {
  description = "Start of the names of all resources."
  type        = string
  default     = "upload-broker"
}

variable "region" {
  description = "Region of all resources."
  type        = string
}

variable "bundle" {
  description = "The bundle of `make beanstalk-bundle`."
  type        = string
  default     = "../../../../target/upload-broker-beanstalk.zip"
}

variable "image_tag" {
  description = "Version of the image in the bundle."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate of the load balancer, from ACM."
  type        = string
}

variable "operator_email" {
  description = "Who gets the alarms."
  type        = string
}

variable "cors_origins" {
  description = "Origins of web pages that call the API and upload."
  type        = list(string)
  default     = []
}

variable "settings" {
  description = "Further settings of the broker."
  type        = map(string)
  default     = {}
}

variable "vpc_cidr" {
  description = "Addresses of the VPC, a /16. 172.30.80.0/24 is used on the instances."
  type        = string
  default     = "10.20.0.0/16"
  validation {
    condition     = endswith(var.vpc_cidr, "/16") && !startswith(var.vpc_cidr, "172.30.")
    error_message = "vpc_cidr has to be a /16, and not 172.30.0.0/16, which the containers use."
  }
}

variable "deletion_protection" {
  description = "Whether the database is kept from removal."
  type        = bool
  default     = true
}

variable "password_version" {
  description = "Raise it to change the password of the database, then replace the instances."
  type        = number
  default     = 1
}
