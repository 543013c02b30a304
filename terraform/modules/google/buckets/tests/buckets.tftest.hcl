mock_provider "google" {
  source = "../../../testing/google"
}

variables {
  project  = "my-project"
  location = "us-west1"
  name     = "prio-prod-us-ct-g-enpa"
  programs = {
    publisher = "principal://iam.googleapis.com/publisher"
    intake    = "principal://iam.googleapis.com/intake"
    aggregate = "principal://iam.googleapis.com/aggregate"
  }
  ingestion_writers       = ["serviceAccount:uploader@ingestor.iam.gserviceaccount.com"]
  peer_validation_writers = ["serviceAccount:prio@peer.iam.gserviceaccount.com"]
  kms_key_name            = "projects/my-project/locations/us-west1/keyRings/prio/cryptoKeys/data"
}

run "keeps_objects_for_a_week_to_the_parties" {
  assert {
    condition     = alltrue([for bucket in google_storage_bucket.buckets : bucket.public_access_prevention == "enforced" && bucket.uniform_bucket_level_access])
    error_message = "Nothing may be public, and access is by roles alone."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.buckets : one(one([for rule in bucket.lifecycle_rule : rule if one(rule.action).type == "Delete"]).condition).age == 7])
    error_message = "Objects expire after seven days."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.buckets : one(bucket.soft_delete_policy).retention_duration_seconds == 0])
    error_message = "What has expired is gone."
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.buckets : one(bucket.encryption).default_kms_key_name == var.kms_key_name])
    error_message = "Everything is encrypted with the key."
  }
}

run "grants_what_each_party_needs" {
  assert {
    condition = toset(keys(google_storage_bucket_iam_binding.grants)) == toset([
      "ingestion roles/storage.legacyBucketWriter",
      "ingestion roles/storage.objectViewer",
      "own-validation roles/storage.objectUser",
      "peer-validation roles/storage.objectUser",
      "peer-validation roles/storage.objectViewer",
    ])
    error_message = "There must be no other grants."
  }

  assert {
    condition     = length(google_storage_bucket_iam_binding.grants["own-validation roles/storage.objectUser"].members) == 3
    error_message = "Publisher, intake and aggregate read and write our own validation batches."
  }

  assert {
    condition     = !contains(google_storage_bucket_iam_binding.grants["peer-validation roles/storage.objectViewer"].members, var.programs.intake)
    error_message = "Intake has nothing to do with the peer's validation batches."
  }
}

run "has_a_key_of_google_without_one_of_ours" {
  variables {
    kms_key_name = null
  }

  assert {
    condition     = alltrue([for bucket in google_storage_bucket.buckets : length(bucket.encryption) == 0])
    error_message = "No key must be named then."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    project                 = "1"
    location                = "1"
    name                    = "google-buckets"
    kms_key_name            = "data"
    retention_days          = 0
    ingestion_writers       = ["allUsers"]
    peer_validation_writers = ["domain:example.com"]
    programs                = { publisher = "publisher", intake = "intake", aggregate = "aggregate" }
  }

  expect_failures = [
    var.project,
    var.location,
    var.name,
    var.kms_key_name,
    var.retention_days,
    var.ingestion_writers,
    var.peer_validation_writers,
    var.programs,
  ]
}
