output "host" {
  description = "Host of the load balancer. Point the name of the certificate to it."
  value       = module.beanstalk.url_host
}

output "bucket" {
  description = "The bucket of the uploads."
  value       = module.storage.bucket
}

output "topic_arn" {
  description = "The topic to subscribe to."
  value       = module.queue.topic_arn
}

output "policy" {
  description = "The policy of the broker, as `upload-broker doctor --policy` prints it."
  value       = module.iam.policy
}
