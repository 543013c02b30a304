output "manifests" {
  description = "Manifests to publish at our base URL, by file name."
  value       = module.data_share_processor.manifests
}

output "kustomize_files" {
  description = "Values for deploy/kustomize, by file name."
  value       = module.data_share_processor.kustomize_files
}
