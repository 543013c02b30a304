# Options of our programs, by the names of their tables: workflow-manager/options.ts and facilitator/commands/*-setup.ts.
# Each map is a file for --config. Keys are not among them; they are mounted as files.
locals {
  is_aws = var.cloud == "aws"
  email  = var.server_identity.gcp_service_account_email

  publisher_queue = local.is_aws ? {
    task-queue-kind = "aws-sns"
    aws-sns-region  = var.queue_options.aws_region
    } : {
    task-queue-kind = "gcp-pubsub"
    gcp-project-id  = var.queue_options.google_project
  }

  worker_queue = local.is_aws ? {
    task-queue-kind = "aws-sqs"
    aws-sqs-region  = var.queue_options.aws_region
    } : {
    task-queue-kind = "gcp-pubsub"
    gcp-project-id  = var.queue_options.google_project
  }

  # Whom to be where others have their storages. docs/facilitator.md, "Credentials".
  elsewhere = {
    for party, place in { peer = merge(var.peer, { identity = null }), portal = var.portal } : party => {
      # The role of the pod, also where a manifest names another: Pod Identity has no token to assume that with.
      aws-aws = { "${party}-use-default-aws-credentials-provider" = "true" }
      aws-google = {
        "${party}-identity"                 = coalesce(place.identity, local.email)
        gcp-workload-identity-pool-provider = var.workload_identity_pool_provider
      }
      google-google = { "${party}-identity" = coalesce(place.identity, local.email) }
      # The peer's manifest says which role.
      google-aws = merge(
        { "${party}-gcp-sa-to-impersonate-before-assuming-role" = local.email },
        { for identity in compact([place.identity]) : "${party}-identity" => identity },
      )
    }["${var.cloud}-${place.cloud}"]
  }

  publisher_options = {
    for name, instance in var.instances : name => merge(local.publisher_queue, {
      is-first              = tostring(var.is_first)
      k8s-namespace         = instance.namespace
      ingestor-label        = instance.ingestor
      ingestor-input        = instance.storages.ingestion
      own-validation-input  = instance.storages.own-validation
      peer-validation-input = instance.storages.peer-validation
      intake-tasks-topic    = instance.queues.intake.topic
      aggregate-tasks-topic = instance.queues.aggregate.topic
    })
  }

  server_options = {
    for name, instance in var.instances : name => merge(local.worker_queue, {
      instance-name              = name
      is-first                   = tostring(var.is_first)
      ingestor-input             = instance.storages.ingestion
      ingestor-manifest-base-url = instance.ingestor_manifest_base_url
      peer-manifest-base-url     = var.peer.manifest_base_url
      own-output                 = instance.storages.own-validation
    })
  }

  intake_options = {
    for name, instance in var.instances : name => merge(local.server_options[name], local.elsewhere.peer, {
      task-queue-name = instance.queues.intake.queue
      rejected-topic  = instance.queues.intake.rejected_topic
    })
  }

  aggregate_options = {
    for name, instance in var.instances : name => merge(local.server_options[name], local.elsewhere.portal, {
      task-queue-name          = instance.queues.aggregate.queue
      rejected-topic           = instance.queues.aggregate.rejected_topic
      peer-input               = instance.storages.peer-validation
      own-input                = instance.storages.own-validation
      portal-manifest-base-url = var.portal.manifest_base_url
    })
  }
}
