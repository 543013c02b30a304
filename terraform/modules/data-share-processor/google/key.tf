# One key for all buckets and topics. Key rings and keys cannot be deleted; to destroy a key is to destroy its versions.
resource "google_kms_key_ring" "data" {
  project  = var.project
  name     = "prio-${var.environment}"
  location = lower(var.location)
}

resource "google_kms_crypto_key" "data" {
  name            = "data"
  key_ring        = google_kms_key_ring.data.id
  rotation_period = "${90 * 86400}s"
  labels          = var.labels

  # A month to think better of it; batches are gone after a week.
  destroy_scheduled_duration = "${30 * 86400}s"
}

# Makes Cloud Storage create its agent if need be. Pub/Sub's is created with the first topic; on a project that never had
# one: gcloud beta services identity create --service=pubsub.googleapis.com.
data "google_storage_project_service_account" "this" {
  project = var.project
}

resource "google_kms_crypto_key_iam_binding" "agents" {
  crypto_key_id = google_kms_crypto_key.data.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  members = [
    "serviceAccount:${data.google_storage_project_service_account.this.email_address}",
    "serviceAccount:service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com",
  ]
}
