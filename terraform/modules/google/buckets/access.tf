# Who does what with which bucket. docs/protocol.md, "Roles and data flow". Roles are for whole buckets, as the check at start-up asks
# what we may do with the bucket (common/backends/storage/gcs-check.ts): get and list for reading, create and delete, too,
# for writing; to replace an object is to delete it.
locals {
  publisher = var.programs.publisher
  intake    = var.programs.intake
  aggregate = var.programs.aggregate

  viewer = "roles/storage.objectViewer"
  user   = "roles/storage.objectUser"

  bindings = {
    ingestion = {
      (local.viewer) = [local.publisher, local.intake, local.aggregate]
      # Creates, replaces and lists, but does not read.
      "roles/storage.legacyBucketWriter" = var.ingestion_writers
    }
    peer-validation = {
      (local.viewer) = [local.publisher, local.aggregate]
      (local.user)   = var.peer_validation_writers
    }
    own-validation = {
      (local.user) = [local.publisher, local.intake, local.aggregate]
    }
  }

  grants = merge([
    for bucket, roles in local.bindings : {
      for role, members in roles : "${bucket} ${role}" => { bucket = bucket, role = role, members = members }
    }
  ]...)
}

# Bindings, so that whoever was let in by hand is put out again.
resource "google_storage_bucket_iam_binding" "grants" {
  for_each = local.grants

  bucket  = google_storage_bucket.buckets[each.value.bucket].name
  role    = each.value.role
  members = each.value.members
}
