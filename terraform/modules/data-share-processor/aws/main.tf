data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.name
  partition  = data.aws_partition.current.partition

  instances = merge([
    for locality_name, locality in var.localities : {
      for ingestor in locality.ingestors : "${locality_name}-${ingestor}" => {
        locality  = locality_name
        ingestor  = ingestor
        namespace = coalesce(locality.namespace, locality_name)
        # As the kustomize overlays call them.
        service_accounts = {
          publisher = "workflow-manager-${ingestor}"
          intake    = "intake-batch-${ingestor}"
          aggregate = "aggregate-${ingestor}"
        }
      }
    }
  ]...)

  queues = merge([for name in keys(local.instances) : {
    "${name}-intake"    = { instance = name, task = "intake" }
    "${name}-aggregate" = { instance = name, task = "aggregate" }
  }]...)
}

module "buckets" {
  source   = "../../aws/buckets"
  for_each = local.instances

  name                    = "prio-${var.environment}-${each.key}"
  kms_key_arn             = aws_kms_key.data.arn
  program_roles           = module.identity[each.key].program_roles
  ingestion_writers       = compact([var.ingestors[each.value.ingestor].aws_iam_entity, module.identity[each.key].ingestion_identity])
  peer_validation_writers = compact([local.peer_account, module.identity[each.key].peer_validation_identity])
  administrators          = var.administrators
  tags                    = var.tags
}

module "task_queue" {
  source   = "../../aws/task-queue"
  for_each = local.queues

  name        = "${var.environment}-${each.key}"
  kms_key_arn = aws_kms_key.data.arn
  tags        = var.tags
}

module "identity" {
  source   = "../../aws/identity"
  for_each = local.instances

  name             = "${var.environment}-${each.key}"
  namespace        = each.value.namespace
  service_accounts = each.value.service_accounts
  cluster          = var.cluster
  kms_key_arns     = [aws_kms_key.data.arn]
  # By name, as the buckets' policies need the roles.
  bucket_arns = {
    for bucket in ["ingestion", "peer-validation", "own-validation"] :
    bucket => "arn:${local.partition}:s3:::prio-${var.environment}-${each.key}-${bucket}"
  }
  queues = {
    intake    = module.task_queue["${each.key}-intake"]
    aggregate = module.task_queue["${each.key}-aggregate"]
  }
  peer_bucket   = lookup(var.peer.validation_buckets, each.key, null)
  portal_bucket = var.portal.bucket
  # By what is known before the accounts are made.
  ingestor_google_account = var.ingestors[each.value.ingestor].aws_iam_entity == null ? { unique_id = var.ingestors[each.value.ingestor].gcp_service_account_id } : null
  peer_google_account     = var.peer.cloud == "google" ? { unique_id = var.peer.gcp_service_account_id } : null
  tags                    = var.tags
}

resource "aws_iam_role_policy" "scaler" {
  count = var.scaler_role_name == null ? 0 : 1

  name = "${var.environment}-data-share-processor-queues"
  role = var.scaler_role_name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["sqs:GetQueueAttributes"]
      Resource = [for queue in module.task_queue : queue.queue_arn]
    }]
  })
}
