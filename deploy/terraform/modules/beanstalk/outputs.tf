output "url_host" {
  description = "Host of the load balancer. Point the name of the certificate to it."
  value       = aws_elastic_beanstalk_environment.this["web"].cname
}

output "environments" {
  description = "Names of the environments, for alarms."
  value       = { for key, environment in aws_elastic_beanstalk_environment.this : key => environment.name }
}

output "load_balancer" {
  description = "The end of the ARN of the load balancer, for alarms."
  value       = try(split("loadbalancer/", aws_elastic_beanstalk_environment.this["web"].load_balancers[0])[1], "none")
}

output "security_group_id" {
  description = "Security group of the instances, for the database."
  value       = aws_security_group.instances.id
}
