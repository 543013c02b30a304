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

output "service_account_email" {
  description = "As whom we write where others have their storages: for a peer or a portal at Google to admit."
  value       = module.identity.service_account_email
}

output "service_account_id" {
  description = "Its unique id: for a peer or a portal at AWS to admit."
  value       = module.identity.service_account_id
}

output "dead_letter_subscriptions" {
  description = "By instance and task (INSTANCE-intake, INSTANCE-aggregate), subscriptions to be watched."
  value       = { for name, queue in module.task_queue : name => queue.dead_letter_subscription }
}
