# Who may publish and consume is said in the policies of the roles (../identity). These here let SNS deliver, and nobody
# in without TLS.
locals {
  queues = {
    tasks       = { queue = aws_sqs_queue.tasks, topic_arn = aws_sns_topic.tasks.arn }
    dead_letter = { queue = aws_sqs_queue.dead_letter, topic_arn = aws_sns_topic.tasks.arn }
    rejected    = { queue = aws_sqs_queue.rejected, topic_arn = aws_sns_topic.rejected.arn }
  }

  topic_arns = {
    tasks    = aws_sns_topic.tasks.arn
    rejected = aws_sns_topic.rejected.arn
  }
}

resource "aws_sqs_queue_policy" "queues" {
  for_each = local.queues

  queue_url = each.value.queue.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TopicDelivers"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = each.value.queue.arn
        Condition = { ArnEquals = { "aws:SourceArn" = each.value.topic_arn } }
      },
      {
        Sid       = "NotWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = each.value.queue.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_policy" "topics" {
  for_each = local.topic_arns

  arn = each.value

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NotWithoutTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sns:Publish"
      Resource  = each.value
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
