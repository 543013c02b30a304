# Whom others know us as: they let this account write, whatever program of ours does.
resource "google_service_account" "server" {
  project      = var.project
  account_id   = var.account_id
  display_name = "Data share processor"
  description  = "Writes where peer and portal have their storages; named in our manifests"
}

# Workload Identity Federation for GKE: programs are members by themselves, without service accounts at Google.
locals {
  gke_pool = "principal://iam.googleapis.com/projects/${var.project_number}/locations/global/workloadIdentityPools/${var.project}.svc.id.goog"

  members = {
    for name, workload in var.workloads :
    name => "${local.gke_pool}/subject/ns/${workload.namespace}/sa/${workload.service_account}"
  }

  acting_as_us = [for name, workload in var.workloads : local.members[name] if workload.acts_as_us]
}

# Access tokens for storages at Google, ID tokens for roles at AWS.
resource "google_service_account_iam_binding" "impersonation" {
  count = length(local.acting_as_us) > 0 ? 1 : 0

  service_account_id = google_service_account.server.name
  role               = "roles/iam.serviceAccountTokenCreator"
  members            = local.acting_as_us
}
