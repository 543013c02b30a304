mock_provider "aws" {
  source = "../../../testing/aws"
}

variables {
  name        = "prod-us-ct-g-enpa-intake"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1b2c3d4e-0000-4000-8000-000000000001"
}

run "delivers_tasks_as_they_were_published" {
  assert {
    condition     = aws_sns_topic_subscription.tasks.raw_message_delivery && aws_sns_topic_subscription.rejected.raw_message_delivery
    error_message = "Workers take the message's body for the task."
  }

  assert {
    condition     = aws_sqs_queue.tasks.visibility_timeout_seconds == 600
    error_message = "A task is held for ten minutes."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.tasks.redrive_policy).maxReceiveCount == 5
    error_message = "After five deliveries a task is a dead letter."
  }

  assert {
    condition     = aws_sqs_queue.dead_letter.message_retention_seconds == 1209600 && aws_sqs_queue.rejected.message_retention_seconds == 1209600
    error_message = "What cannot be done is kept for 14 days."
  }
}

run "encrypts_everything_with_the_key" {
  assert {
    condition = alltrue([
      for resource in [aws_sns_topic.tasks, aws_sns_topic.rejected] : resource.kms_master_key_id == var.kms_key_arn
      ]) && alltrue([
      for resource in [aws_sqs_queue.tasks, aws_sqs_queue.dead_letter, aws_sqs_queue.rejected] : resource.kms_master_key_id == var.kms_key_arn
    ])
    error_message = "Every topic and queue must have the key."
  }
}

run "lets_in_nobody_but_the_topic_and_nothing_without_tls" {
  assert {
    condition = alltrue([
      for name in ["tasks", "dead_letter", "rejected"] :
      [for statement in jsondecode(aws_sqs_queue_policy.queues[name].policy).Statement : statement.Effect] == ["Allow", "Deny"]
    ])
    error_message = "Each queue must let its topic deliver and refuse plain HTTP."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_policy.queues["tasks"].policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == aws_sns_topic.tasks.arn
    error_message = "SNS may deliver for our topic alone."
  }
}

run "has_a_key_of_the_service_without_one_of_ours" {
  variables {
    kms_key_arn = null
  }

  assert {
    condition     = aws_sqs_queue.tasks.sqs_managed_sse_enabled
    error_message = "Queues are encrypted in any case."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name                       = "a queue"
    kms_key_arn                = "alias/key"
    visibility_timeout_seconds = 5
    max_receive_count          = 0
    retention_days             = 15
  }

  expect_failures = [var.name, var.kms_key_arn, var.visibility_timeout_seconds, var.max_receive_count, var.retention_days]
}
