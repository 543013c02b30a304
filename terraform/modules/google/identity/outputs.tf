output "members" {
  description = "By name of the workload, the member that it is for grants: principal://…."
  value       = local.members
}

output "service_account_email" {
  description = "E-mail address of the service account whom the others know us as."
  value       = google_service_account.server.email
}

output "service_account_id" {
  description = "Its unique id, by which roles at AWS admit it; gcp-service-account-id of our global manifest."
  value       = google_service_account.server.unique_id
}

output "workload_identity_pool_provider" {
  description = "Provider by which our roles at AWS become that account: --gcp-workload-identity-pool-provider. Null without AWS."
  value       = one(google_iam_workload_identity_pool_provider.aws[*].name)

  depends_on = [google_service_account_iam_binding.federation]
}
