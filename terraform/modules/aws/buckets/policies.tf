locals {
  publisher = var.program_roles.publisher
  intake    = var.program_roles.intake
  aggregate = var.program_roles.aggregate
  programs  = [local.publisher, local.intake, local.aggregate]

  # Who does what with which bucket; nobody deletes. docs/protocol.md, "Roles and data flow".
  parties = {
    ingestion = {
      listers = local.programs
      readers = [local.intake, local.aggregate]
      writers = var.ingestion_writers
    }
    peer-validation = {
      listers = [local.publisher, local.aggregate]
      readers = [local.aggregate]
      writers = var.peer_validation_writers
    }
    own-validation = {
      listers = local.programs
      readers = [local.intake, local.aggregate]
      writers = [local.intake, local.aggregate]
    }
  }

  # The publisher has its corner of own-validation, and that to itself.
  own_objects = "${local.arns["own-validation"]}/"
  claims      = "${local.own_objects}task-claims/*"
  markers     = "${local.own_objects}task-markers/*"

  publishing = [
    {
      Sid       = "ReadClaims"
      Effect    = "Allow"
      Principal = { AWS = [local.publisher] }
      Action    = "s3:GetObject"
      Resource  = local.claims
    },
    {
      Sid       = "WriteMarkersAndClaims"
      Effect    = "Allow"
      Principal = { AWS = [local.publisher] }
      Action    = local.write_actions
      Resource  = [local.markers, local.claims]
    },
    {
      Sid       = "OnlyThePublisherPlans"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = [local.markers, local.claims]
      Condition = { ArnNotLike = { "aws:PrincipalArn" = concat([local.publisher], var.administrators) } }
    },
  ]

  write_actions = ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"]

  arns = { for name, bucket in aws_s3_bucket.buckets : name => bucket.arn }

  policies = {
    for name, bucket in local.parties : name => jsonencode({
      Version = "2012-10-17"
      Statement = concat(
        [
          {
            Sid       = "NotWithoutTls"
            Effect    = "Deny"
            Principal = "*"
            Action    = "s3:*"
            Resource  = [local.arns[name], "${local.arns[name]}/*"]
            Condition = { Bool = { "aws:SecureTransport" = "false" } }
          },
          # Otherwise any role of this account whose own policy is broad enough could read or replace batches.
          {
            Sid       = "NobodyElse"
            Effect    = "Deny"
            Principal = "*"
            Action    = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"]
            Resource  = "${local.arns[name]}/*"
            Condition = {
              ArnNotLike = {
                "aws:PrincipalArn" = distinct(concat(
                  # An account stands for whomever of its own it lets in.
                  [for arn in concat(bucket.readers, bucket.writers) : replace(arn, "/:root$/", ":*")],
                  name == "own-validation" ? [local.publisher] : [],
                  var.administrators,
                ))
              }
            }
          },
          {
            Sid       = "List"
            Effect    = "Allow"
            Principal = { AWS = bucket.listers }
            Action    = "s3:ListBucket"
            Resource  = local.arns[name]
          },
          {
            Sid       = "Read"
            Effect    = "Allow"
            Principal = { AWS = bucket.readers }
            Action    = "s3:GetObject"
            Resource  = "${local.arns[name]}/*"
          },
        ],
        # S3 refuses a statement without principals.
        [for writers in [bucket.writers] : {
          Sid       = "Write"
          Effect    = "Allow"
          Principal = { AWS = writers }
          Action    = local.write_actions
          Resource  = "${local.arns[name]}/*"
        } if length(writers) > 0],
        [for statement in concat(local.publishing, local.conditional_writes) : statement if name == "own-validation"],
      )
    })
  }
}
