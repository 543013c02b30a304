output "manifests" {
  description = "Manifests to publish, by server and file name."
  value = {
    pha         = module.pha.manifests
    facilitator = module.facilitator.manifests
  }
}

output "kustomize_files" {
  description = "Values for deploy/kustomize, by server and file name."
  value = {
    pha         = module.pha.kustomize_files
    facilitator = module.facilitator.kustomize_files
  }
}
