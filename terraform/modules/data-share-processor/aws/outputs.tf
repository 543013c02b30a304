output "manifests" {
  description = "Manifests to publish, by file name; JSON."
  value       = module.rendering.manifests
}

output "kustomize_values" {
  description = "By instance: namespace, service accounts, and the options of each program."
  value       = module.rendering.kustomize_values
}

output "kustomize_files" {
  description = "The same by file name, INSTANCE.json; JSON."
  value       = module.rendering.kustomize_files
}

output "program_roles" {
  description = "By instance, ARNs of the roles of the programs: for the portal to admit, and for our pool at Google."
  value       = { for name, identity in module.identity : name => identity.program_roles }
}

output "kms_key_arn" {
  description = "Key of our buckets: a peer at AWS needs it to write."
  value       = aws_kms_key.data.arn
}

output "bucket_arns" {
  description = "By instance, ARNs of our buckets: a peer at AWS needs that of peer-validation."
  value       = { for name, buckets in module.buckets : name => buckets.arns }
}

output "dead_letter_queue_urls" {
  description = "By instance and task (INSTANCE-intake, INSTANCE-aggregate), queues to be watched."
  value       = { for name, queue in module.task_queue : name => queue.dead_letter_queue_url }
}
