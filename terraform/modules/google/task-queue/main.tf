locals {
  day_seconds  = 86400
  longest_days = 31

  # What is kept beside the tasks, each in a topic with a subscription, without which it would be lost.
  kept = toset(["dead-letter", "rejected"])

  pubsub_agent = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "tasks" {
  project      = var.project
  name         = var.name
  kms_key_name = var.kms_key_name
  labels       = var.labels
}

resource "google_pubsub_subscription" "tasks" {
  project                    = var.project
  name                       = var.name
  topic                      = google_pubsub_topic.tasks.id
  ack_deadline_seconds       = var.ack_deadline_seconds
  message_retention_duration = "${var.retention_days * local.day_seconds}s"
  labels                     = var.labels

  # Never, however long no worker runs.
  expiration_policy {
    ttl = ""
  }

  # No ordering: together with dead letters, it would block whatever comes after a task that fails.
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.kept["dead-letter"].id
    max_delivery_attempts = var.max_delivery_attempts
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
}

resource "google_pubsub_topic" "kept" {
  for_each = local.kept

  project      = var.project
  name         = "${var.name}-${each.key}"
  kms_key_name = var.kms_key_name
  labels       = var.labels
}

resource "google_pubsub_subscription" "kept" {
  for_each = local.kept

  project                    = var.project
  name                       = "${var.name}-${each.key}"
  topic                      = google_pubsub_topic.kept[each.key].id
  ack_deadline_seconds       = var.ack_deadline_seconds
  message_retention_duration = "${local.longest_days * local.day_seconds}s"
  labels                     = var.labels

  expiration_policy {
    ttl = ""
  }
}
