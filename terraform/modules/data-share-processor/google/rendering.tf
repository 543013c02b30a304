module "rendering" {
  source = "../rendering"

  cloud         = "google"
  is_first      = var.is_first
  queue_options = { google_project = var.project }
  server_identity = {
    gcp_service_account_id    = module.identity.service_account_id
    gcp_service_account_email = module.identity.service_account_email
  }
  peer   = { cloud = var.peer.cloud, manifest_base_url = var.peer.manifest_base_url }
  portal = { cloud = var.portal.cloud, manifest_base_url = var.portal.manifest_base_url, identity = var.portal.identity }

  instances = {
    for name, instance in local.instances : name => {
      locality                    = instance.locality
      ingestor                    = instance.ingestor
      namespace                   = instance.namespace
      service_accounts            = instance.service_accounts
      service_account_annotations = { for program in keys(instance.service_accounts) : program => {} }
      ingestor_manifest_base_url  = var.ingestors[instance.ingestor].manifest_base_url
      storages                    = module.buckets[name].urls
      queues = {
        for task in ["intake", "aggregate"] : task => {
          topic          = module.task_queue["${name}-${task}"].topic
          queue          = module.task_queue["${name}-${task}"].subscription
          rejected_topic = module.task_queue["${name}-${task}"].rejected_topic
        }
      }
      batch_signing_public_keys = lookup(var.batch_signing_public_keys, name, {})
      packet_encryption_csrs    = lookup(var.packet_encryption_csrs, instance.locality, {})
    }
  }
}
