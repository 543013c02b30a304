# One key for all buckets and queues: whoever needs one of them is told by policies of those.
locals {
  peer_account = var.peer.cloud == "aws" ? "arn:${local.partition}:iam::${var.peer.aws_account_id}:root" : null

  # Writers of other accounts; our own roles are let in by their policies.
  foreign_writers = distinct(compact(concat([local.peer_account], [for ingestor in values(var.ingestors) : ingestor.aws_iam_entity])))
}

resource "aws_kms_key" "data" {
  description             = "Buckets and queues of the data share processor ${var.environment}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "PoliciesOfThisAccount"
          Effect    = "Allow"
          Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
          Action    = "kms:*"
          Resource  = "*"
        },
        {
          Sid       = "TopicsDeliver"
          Effect    = "Allow"
          Principal = { Service = "sns.amazonaws.com" }
          Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
          Resource  = "*"
          Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
        },
      ],
      [for writers in [local.foreign_writers] : {
        Sid       = "OthersWrite"
        Effect    = "Allow"
        Principal = { AWS = writers }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
      } if length(writers) > 0],
    )
  })
}

resource "aws_kms_alias" "data" {
  name          = "alias/prio-${var.environment}"
  target_key_id = aws_kms_key.data.key_id
}
