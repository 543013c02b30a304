locals {
  values = {
    for name, instance in var.instances : name => {
      instance  = name
      locality  = instance.locality
      ingestor  = instance.ingestor
      namespace = instance.namespace
      cloud     = var.cloud

      service-accounts = {
        for program, account in instance.service_accounts : program => {
          name        = account
          annotations = instance.service_account_annotations[program]
        }
      }

      workflow-manager    = local.publisher_options[name]
      intake-batch-worker = local.intake_options[name]
      aggregate-worker    = local.aggregate_options[name]
    }
  }
}

output "manifests" {
  description = "Manifests to publish, by file name: global-manifest.json, and INSTANCE-manifest.json for each instance; JSON."
  value = merge(
    { "global-manifest.json" = jsonencode(local.global_manifest) },
    { for name, manifest in local.specific_manifests : "${name}-manifest.json" => jsonencode(manifest) },
  )
}

output "kustomize_values" {
  description = "By instance: namespace, service accounts with their annotations, and the options of each program."
  value       = local.values
}

output "kustomize_files" {
  description = "The same by file name, INSTANCE.json; JSON."
  value       = { for name, values in local.values : "${name}.json" => jsonencode(values) }
}
