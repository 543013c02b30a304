# The programs' checks at start-up ask for pubsub.topics.publish and pubsub.subscriptions.consume, which these have.
resource "google_pubsub_topic_iam_binding" "publishers" {
  project = var.project
  topic   = google_pubsub_topic.tasks.name
  role    = "roles/pubsub.publisher"
  members = var.publishers
}

resource "google_pubsub_subscription_iam_binding" "consumers" {
  project      = var.project
  subscription = google_pubsub_subscription.tasks.name
  role         = "roles/pubsub.subscriber"
  # The agent acknowledges what it moves to the dead letters.
  members = concat(var.consumers, [local.pubsub_agent])
}

resource "google_pubsub_topic_iam_binding" "rejecting" {
  project = var.project
  topic   = google_pubsub_topic.kept["rejected"].name
  role    = "roles/pubsub.publisher"
  members = var.consumers
}

resource "google_pubsub_topic_iam_binding" "dead_lettering" {
  project = var.project
  topic   = google_pubsub_topic.kept["dead-letter"].name
  role    = "roles/pubsub.publisher"
  members = [local.pubsub_agent]
}
