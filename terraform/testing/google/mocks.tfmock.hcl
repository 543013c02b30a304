# What Google would answer, of the form that providers and our own validations insist on. For terraform test.
mock_resource "google_service_account" {
  defaults = {
    name      = "projects/my-project/serviceAccounts/mock@my-project.iam.gserviceaccount.com"
    email     = "mock@my-project.iam.gserviceaccount.com"
    unique_id = "104205123456789012345"
  }
}

mock_resource "google_kms_crypto_key" {
  defaults = {
    id = "projects/my-project/locations/us-west1/keyRings/mock/cryptoKeys/data"
  }
}

mock_resource "google_iam_workload_identity_pool" {
  defaults = {
    name = "projects/123456789012/locations/global/workloadIdentityPools/mock"
  }
}

mock_resource "google_iam_workload_identity_pool_provider" {
  defaults = {
    name = "projects/123456789012/locations/global/workloadIdentityPools/mock/providers/aws"
  }
}

mock_data "google_project" {
  defaults = {
    number = "123456789012"
  }
}

mock_data "google_storage_project_service_account" {
  defaults = {
    email_address = "service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
  }
}
