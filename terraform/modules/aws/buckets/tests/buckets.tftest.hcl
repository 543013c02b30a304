mock_provider "aws" {
  source = "../../../testing/aws"
}

variables {
  name        = "prio-prod-us-ct-g-enpa"
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1b2c3d4e-0000-4000-8000-000000000001"
  program_roles = {
    publisher = "arn:aws:iam::123456789012:role/publisher"
    intake    = "arn:aws:iam::123456789012:role/intake"
    aggregate = "arn:aws:iam::123456789012:role/aggregate"
  }
  ingestion_writers       = ["arn:aws:iam::210987654321:role/uploader"]
  peer_validation_writers = ["arn:aws:iam::098765432109:root"]
}

run "keeps_objects_for_a_week_to_the_parties" {
  assert {
    condition     = toset([for bucket in aws_s3_bucket.buckets : bucket.bucket]) == toset(["prio-prod-us-ct-g-enpa-ingestion", "prio-prod-us-ct-g-enpa-peer-validation", "prio-prod-us-ct-g-enpa-own-validation"])
    error_message = "There must be the three buckets of an instance."
  }

  assert {
    condition     = alltrue([for lifecycle in aws_s3_bucket_lifecycle_configuration.buckets : lifecycle.rule[0].expiration[0].days == 7])
    error_message = "Objects expire after seven days."
  }

  assert {
    condition = alltrue([
      for block in aws_s3_bucket_public_access_block.buckets :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "Nothing may be public."
  }

  assert {
    condition = alltrue([
      for encryption in aws_s3_bucket_server_side_encryption_configuration.buckets :
      one(one(encryption.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    ])
    error_message = "Everything is encrypted with the key."
  }

  assert {
    condition     = alltrue([for ownership in aws_s3_bucket_ownership_controls.buckets : ownership.rule[0].object_ownership == "BucketOwnerEnforced"])
    error_message = "Access is by policies alone."
  }
}

run "lets_an_account_stand_for_its_own" {
  assert {
    condition = contains(
      [for statement in jsondecode(output.policies["peer-validation"]).Statement : statement.Condition.ArnNotLike["aws:PrincipalArn"] if statement.Sid == "NobodyElse"][0],
      "arn:aws:iam::098765432109:*",
    )
    error_message = "The peer's account decides which role of it writes."
  }
}

run "can_do_without_a_writer" {
  variables {
    peer_validation_writers = []
  }

  assert {
    condition     = !contains([for statement in jsondecode(output.policies["peer-validation"]).Statement : statement.Sid], "Write")
    error_message = "A statement without principals would be refused."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name                    = "Prio_Prod"
    kms_key_arn             = "arn:aws:kms:eu-west-1:123456789012:alias/key"
    retention_days          = 1
    ingestion_writers       = ["*"]
    peer_validation_writers = ["arn:aws:iam::98765432109:root"]
    administrators          = ["*"]
    program_roles           = { publisher = "publisher", intake = "intake", aggregate = "aggregate" }
  }

  expect_failures = [
    var.name,
    var.kms_key_arn,
    var.retention_days,
    var.ingestion_writers,
    var.peer_validation_writers,
    var.administrators,
    var.program_roles,
  ]
}
