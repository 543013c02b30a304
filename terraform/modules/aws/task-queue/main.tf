locals {
  day_seconds  = 86400
  longest_days = 14
}

resource "aws_sns_topic" "tasks" {
  name              = var.name
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

resource "aws_sqs_queue" "tasks" {
  name                       = var.name
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = var.retention_days * local.day_seconds
  receive_wait_time_seconds  = 20
  kms_master_key_id          = var.kms_key_arn
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  tags                       = var.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = var.max_receive_count
  })
}

# Workers expect the task itself, not SNS' envelope around it.
resource "aws_sns_topic_subscription" "tasks" {
  topic_arn            = aws_sns_topic.tasks.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.tasks.arn
  raw_message_delivery = true
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letter.arn })

  depends_on = [aws_sqs_queue_policy.queues]
}

resource "aws_sqs_queue" "dead_letter" {
  name                      = "${var.name}-dead-letter"
  message_retention_seconds = local.longest_days * local.day_seconds
  kms_master_key_id         = var.kms_key_arn
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  tags                      = var.tags

  # The queue of tasks, which needs this one, and so cannot be named by reference; it is called as its topic.
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [replace(aws_sns_topic.tasks.arn, ":sns:", ":sqs:")]
  })
}

# What no repetition can help: workers publish it here, and the queue keeps it for whoever looks into it.
resource "aws_sns_topic" "rejected" {
  name              = "${var.name}-rejected"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

resource "aws_sqs_queue" "rejected" {
  name                      = "${var.name}-rejected"
  message_retention_seconds = local.longest_days * local.day_seconds
  kms_master_key_id         = var.kms_key_arn
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  tags                      = var.tags
}

resource "aws_sns_topic_subscription" "rejected" {
  topic_arn            = aws_sns_topic.rejected.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.rejected.arn
  raw_message_delivery = true

  depends_on = [aws_sqs_queue_policy.queues]
}
