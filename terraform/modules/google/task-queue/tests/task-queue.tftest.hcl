mock_provider "google" {
  source = "../../../testing/google"
}

variables {
  project        = "my-project"
  project_number = "123456789012"
  name           = "prod-us-ct-g-enpa-intake"
  publishers     = ["principal://iam.googleapis.com/publisher"]
  consumers      = ["principal://iam.googleapis.com/intake"]
  kms_key_name   = "projects/my-project/locations/us-west1/keyRings/prio/cryptoKeys/data"
}

run "holds_tasks_for_ten_minutes_and_gives_up_after_five_deliveries" {
  assert {
    condition     = google_pubsub_subscription.tasks.ack_deadline_seconds == 600
    error_message = "A task is held for ten minutes."
  }

  assert {
    condition     = one(google_pubsub_subscription.tasks.dead_letter_policy).max_delivery_attempts == 5
    error_message = "After five deliveries a task is a dead letter."
  }

  assert {
    condition     = google_pubsub_subscription.tasks.enable_message_ordering != true
    error_message = "Tasks that fail must not block others."
  }
}

run "loses_nothing" {
  assert {
    condition     = alltrue([for subscription in concat(values(google_pubsub_subscription.kept), [google_pubsub_subscription.tasks]) : one(subscription.expiration_policy).ttl == ""])
    error_message = "No subscription expires."
  }

  assert {
    condition     = toset(keys(google_pubsub_subscription.kept)) == toset(["dead-letter", "rejected"])
    error_message = "What is published without a subscription is lost."
  }

  assert {
    condition     = alltrue([for topic in concat(values(google_pubsub_topic.kept), [google_pubsub_topic.tasks]) : topic.kms_key_name == var.kms_key_name])
    error_message = "Every topic must have the key."
  }
}

run "lets_each_program_do_its_part" {
  assert {
    condition     = google_pubsub_topic_iam_binding.publishers.members == toset(var.publishers) || google_pubsub_topic_iam_binding.publishers.members == tolist(var.publishers)
    error_message = "The publisher alone publishes tasks."
  }

  assert {
    condition     = contains(google_pubsub_subscription_iam_binding.consumers.members, "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com")
    error_message = "Pub/Sub's agent must be able to take dead letters away."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    project               = "My Project"
    project_number        = "my-project"
    name                  = "goog-tasks"
    publishers            = ["allUsers"]
    consumers             = ["allAuthenticatedUsers"]
    kms_key_name          = "data"
    ack_deadline_seconds  = 601
    max_delivery_attempts = 4
    retention_days        = 32
  }

  expect_failures = [
    var.project,
    var.project_number,
    var.name,
    var.publishers,
    var.consumers,
    var.kms_key_name,
    var.ack_deadline_seconds,
    var.max_delivery_attempts,
    var.retention_days,
  ]
}
