output "names" {
  description = "Names of the buckets ingestion, peer-validation and own-validation."
  value       = { for name, bucket in google_storage_bucket.buckets : name => bucket.name }
}

output "urls" {
  description = "The same as locations for options and manifests: gs://BUCKET."
  value       = { for name, bucket in google_storage_bucket.buckets : name => "gs://${bucket.name}" }

  depends_on = [google_storage_bucket_iam_binding.grants]
}
