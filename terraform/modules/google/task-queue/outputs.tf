output "topic" {
  description = "Id of the topic on which the publisher publishes: --intake-tasks-topic or --aggregate-tasks-topic."
  value       = google_pubsub_topic.tasks.name

  depends_on = [google_pubsub_topic_iam_binding.publishers]
}

output "subscription" {
  description = "Id of the subscription from which workers take tasks: --task-queue-name."
  value       = google_pubsub_subscription.tasks.name

  depends_on = [google_pubsub_subscription_iam_binding.consumers]
}

output "rejected_topic" {
  description = "Id of the topic for tasks that no repetition can help: --rejected-topic."
  value       = google_pubsub_topic.kept["rejected"].name

  depends_on = [google_pubsub_topic_iam_binding.rejecting, google_pubsub_subscription.kept]
}

output "rejected_subscription" {
  description = "Id of the subscription that keeps rejected tasks."
  value       = google_pubsub_subscription.kept["rejected"].name
}

output "dead_letter_subscription" {
  description = "Id of the subscription that keeps tasks that were delivered too often."
  value       = google_pubsub_subscription.kept["dead-letter"].name
}
