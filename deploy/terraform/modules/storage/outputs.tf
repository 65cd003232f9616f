output "bucket" {
  description = "BROKER_S3_BUCKET."
  value       = aws_s3_bucket.uploads.bucket
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.uploads.arn
}
