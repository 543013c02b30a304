output "topic_arn" {
  description = "Topic on which the publisher publishes: --intake-tasks-topic or --aggregate-tasks-topic."
  value       = aws_sns_topic.tasks.arn
}

output "queue_url" {
  description = "Queue from which workers take tasks: --task-queue-name."

  value = aws_sqs_queue.tasks.url

  depends_on = [aws_sns_topic_subscription.tasks]
}

output "queue_arn" {
  description = "ARN of that queue, for policies of roles and alarms."
  value       = aws_sqs_queue.tasks.arn
}

output "rejected_topic_arn" {
  description = "Topic for tasks that no repetition can help: --rejected-topic."
  value       = aws_sns_topic.rejected.arn
}

output "rejected_queue_url" {
  description = "Queue that keeps rejected tasks."
  value       = aws_sqs_queue.rejected.url
}

output "dead_letter_queue_url" {
  description = "Queue that keeps tasks that were delivered too often."
  value       = aws_sqs_queue.dead_letter.url
}
