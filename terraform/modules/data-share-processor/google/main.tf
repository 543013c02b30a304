data "google_project" "this" {
  project_id = var.project
}

locals {
  number = data.google_project.this.number

  instances = merge([
    for locality_name, locality in var.localities : {
      for ingestor in locality.ingestors : "${locality_name}-${ingestor}" => {
        locality  = locality_name
        ingestor  = ingestor
        namespace = coalesce(locality.namespace, locality_name)
        # As the kustomize overlays call them.
        service_accounts = {
          publisher = "workflow-manager-${ingestor}"
          intake    = "intake-batch-${ingestor}"
          aggregate = "aggregate-${ingestor}"
        }
      }
    }
  ]...)

  queues = merge([for name in keys(local.instances) : {
    "${name}-intake"    = { instance = name, task = "intake" }
    "${name}-aggregate" = { instance = name, task = "aggregate" }
  }]...)

  workloads = merge([for name, instance in local.instances : {
    for program, account in instance.service_accounts : "${name}-${program}" => {
      namespace       = instance.namespace
      service_account = account
      acts_as_us      = program != "publisher"
    }
  }]...)
}

module "identity" {
  source = "../../google/identity"

  project        = var.project
  project_number = local.number
  account_id     = "prio-${var.environment}"
  workloads      = local.workloads
}

module "buckets" {
  source   = "../../google/buckets"
  for_each = local.instances

  project      = var.project
  location     = var.location
  name         = "prio-${var.environment}-${each.key}"
  kms_key_name = google_kms_crypto_key.data.id
  programs = {
    publisher = module.identity.members["${each.key}-publisher"]
    intake    = module.identity.members["${each.key}-intake"]
    aggregate = module.identity.members["${each.key}-aggregate"]
  }
  ingestion_writers       = ["serviceAccount:${var.ingestors[each.value.ingestor].gcp_service_account_email}"]
  peer_validation_writers = ["serviceAccount:${var.peer.gcp_service_account_email}"]
  labels                  = var.labels

  depends_on = [google_kms_crypto_key_iam_binding.agents]
}

module "task_queue" {
  source   = "../../google/task-queue"
  for_each = local.queues

  project        = var.project
  project_number = local.number
  name           = "${var.environment}-${each.key}"
  kms_key_name   = google_kms_crypto_key.data.id
  publishers     = [module.identity.members["${each.value.instance}-publisher"]]
  consumers      = [module.identity.members["${each.value.instance}-${each.value.task}"]]
  labels         = var.labels

  depends_on = [google_kms_crypto_key_iam_binding.agents]
}
