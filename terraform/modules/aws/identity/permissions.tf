# What each program calls, and nothing else; docs/publisher.md and docs/facilitator.md. The checks at start-up need
# s3:ListBucket (HeadBucket), sns:GetTopicAttributes and sqs:GetQueueAttributes. Nobody deletes objects at S3.
locals {
  ingestion       = var.bucket_arns.ingestion
  peer_validation = var.bucket_arns.peer-validation
  own_validation  = var.bucket_arns.own-validation

  write_actions = ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"]

  key_use = [for arns in [var.kms_key_arns] : {
    Sid      = "UseKeys"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = arns
  } if length(arns) > 0]

  # By program: the buckets of others, which have to admit us, too.
  outputs = {
    intake    = var.peer_bucket
    aggregate = var.portal_bucket
  }

  writing_elsewhere = {
    for program, bucket in local.outputs : program => bucket == null ? [] : concat(
      [{
        Sid      = "WriteElsewhere"
        Effect   = "Allow"
        Action   = local.write_actions
        Resource = ["${bucket.arn}/*"]
      }],
      [for key in [bucket.kms_key_arn] : {
        Sid      = "UseKeyElsewhere"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [key]
      } if key != null],
    )
  }

  consuming = {
    for task, queue in var.queues : task => [
      {
        Sid      = "TakeTasks"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
        Resource = [queue.queue_arn]
      },
      {
        Sid      = "RejectTasks"
        Effect   = "Allow"
        Action   = ["sns:Publish", "sns:GetTopicAttributes"]
        Resource = [queue.rejected_topic_arn]
      },
    ]
  }

  permissions = {
    publisher = concat(
      [
        {
          Sid      = "List"
          Effect   = "Allow"
          Action   = ["s3:ListBucket"]
          Resource = [local.ingestion, local.peer_validation, local.own_validation]
        },
        {
          Sid      = "ReadClaims"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${local.own_validation}/task-claims/*"]
        },
        {
          Sid      = "WriteMarkersAndClaims"
          Effect   = "Allow"
          Action   = local.write_actions
          Resource = ["${local.own_validation}/task-markers/*", "${local.own_validation}/task-claims/*"]
        },
        {
          Sid      = "PublishTasks"
          Effect   = "Allow"
          Action   = ["sns:Publish", "sns:GetTopicAttributes"]
          Resource = [for queue in var.queues : queue.topic_arn]
        },
      ],
      local.key_use,
    )

    intake = concat(
      [
        {
          Sid      = "List"
          Effect   = "Allow"
          Action   = ["s3:ListBucket"]
          Resource = [local.ingestion, local.own_validation]
        },
        {
          Sid      = "Read"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${local.ingestion}/*", "${local.own_validation}/*"]
        },
        {
          Sid      = "WriteOwnValidation"
          Effect   = "Allow"
          Action   = local.write_actions
          Resource = ["${local.own_validation}/*"]
        },
      ],
      local.consuming.intake,
      local.writing_elsewhere.intake,
      local.key_use,
    )

    aggregate = concat(
      [
        {
          Sid      = "List"
          Effect   = "Allow"
          Action   = ["s3:ListBucket"]
          Resource = [local.ingestion, local.peer_validation, local.own_validation]
        },
        {
          Sid      = "Read"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = ["${local.ingestion}/*", "${local.peer_validation}/*", "${local.own_validation}/*"]
        },
        {
          Sid      = "WriteOwnValidation"
          Effect   = "Allow"
          Action   = local.write_actions
          Resource = ["${local.own_validation}/*"]
        },
      ],
      local.consuming.aggregate,
      local.writing_elsewhere.aggregate,
      local.key_use,
    )
  }
}
