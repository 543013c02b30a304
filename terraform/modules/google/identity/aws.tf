# How roles at AWS become our service account: --gcp-workload-identity-pool-provider.
resource "google_iam_workload_identity_pool" "aws" {
  count = var.aws == null ? 0 : 1

  project                   = var.project
  workload_identity_pool_id = "${var.account_id}-a"
  display_name              = "Data share processor at AWS"
}

resource "google_iam_workload_identity_pool_provider" "aws" {
  count = var.aws == null ? 0 : 1

  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.aws[0].workload_identity_pool_id
  workload_identity_pool_provider_id = "aws"

  # The role alone: sessions are named by whoever has the role, and with their names, ARNs are longer than the 127 bytes
  # that a subject may have. What is no session of a role has no subject, and is refused.
  attribute_mapping = {
    "google.subject" = "assertion.arn.extract('assumed-role/{role}/')"
  }

  attribute_condition = "google.subject in ${jsonencode(sort(var.aws.role_names))}"

  aws {
    account_id = var.aws.account_id
  }
}

resource "google_service_account_iam_binding" "federation" {
  count = var.aws == null ? 0 : 1

  service_account_id = google_service_account.server.name
  role               = "roles/iam.workloadIdentityUser"
  members = [
    for role in var.aws.role_names :
    "principal://iam.googleapis.com/${google_iam_workload_identity_pool.aws[0].name}/subject/${role}"
  ]
}
