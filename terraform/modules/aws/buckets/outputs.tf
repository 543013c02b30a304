output "arns" {
  description = "ARNs of the buckets ingestion, peer-validation and own-validation."
  value       = local.arns
}

output "urls" {
  description = "The same as locations for options and manifests: s3://REGION/BUCKET."
  value       = { for name, bucket in aws_s3_bucket.buckets : name => "s3://${bucket.region}/${bucket.id}" }

  # Whoever knows the location may use it, so it must be safe by then.
  depends_on = [aws_s3_bucket_policy.buckets]
}

output "policies" {
  description = "The policies of the buckets, JSON."
  value       = local.policies
}
