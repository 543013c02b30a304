# Roles that parties at Google assume to write into our buckets, with an ID token of their service account.
locals {
  google_writers = {
    for role, writer in {
      ingestion-writer       = { account = var.ingestor_google_account, bucket_arn = local.ingestion }
      peer-validation-writer = { account = var.peer_google_account, bucket_arn = local.peer_validation }
    } : role => writer if writer.account != null
  }
}

resource "aws_iam_role" "writers" {
  for_each = local.google_writers

  name        = "${var.name}-${each.key}"
  description = "Google service account ${each.value.account.unique_id}"

  # Of a service account's token, AWS calls azp aud and aud oaud. Accounts are told apart by sub, which is never reused.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "accounts.google.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "accounts.google.com:sub"  = each.value.account.unique_id
          "accounts.google.com:oaud" = "sts.amazonaws.com/gke-identity-federation"
        }
      }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "writers" {
  for_each = local.google_writers

  name = "data-share-processor"
  role = aws_iam_role.writers[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Write"
        Effect   = "Allow"
        Action   = local.write_actions
        Resource = ["${each.value.bucket_arn}/*"]
      }],
      local.key_use,
    )
  })
}
