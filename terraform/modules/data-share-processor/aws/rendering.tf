module "rendering" {
  source = "../rendering"

  cloud                           = "aws"
  is_first                        = var.is_first
  queue_options                   = { aws_region = local.region }
  server_identity                 = { aws_account_id = local.account_id, gcp_service_account_email = var.google_identity.service_account_email }
  workload_identity_pool_provider = var.google_identity.workload_identity_pool_provider
  peer                            = { cloud = var.peer.cloud, manifest_base_url = var.peer.manifest_base_url }
  portal                          = { cloud = var.portal.cloud, manifest_base_url = var.portal.manifest_base_url, identity = var.portal.identity }

  instances = {
    for name, instance in local.instances : name => {
      locality                    = instance.locality
      ingestor                    = instance.ingestor
      namespace                   = instance.namespace
      service_accounts            = instance.service_accounts
      service_account_annotations = module.identity[name].service_account_annotations
      ingestor_manifest_base_url  = var.ingestors[instance.ingestor].manifest_base_url
      ingestion_identity          = module.identity[name].ingestion_identity
      peer_validation_identity    = module.identity[name].peer_validation_identity
      storages                    = module.buckets[name].urls
      queues = {
        for task in ["intake", "aggregate"] : task => {
          topic          = module.task_queue["${name}-${task}"].topic_arn
          queue          = module.task_queue["${name}-${task}"].queue_url
          rejected_topic = module.task_queue["${name}-${task}"].rejected_topic_arn
        }
      }
      batch_signing_public_keys = lookup(var.batch_signing_public_keys, name, {})
      packet_encryption_csrs    = lookup(var.packet_encryption_csrs, instance.locality, {})
    }
  }
}
