variables {
  cloud         = "google"
  is_first      = false
  queue_options = { google_project = "my-project" }
  server_identity = {
    gcp_service_account_id    = "104205123456789012345"
    gcp_service_account_email = "prio@my-project.iam.gserviceaccount.com"
  }
  peer      = { cloud = "google", manifest_base_url = "https://pha.example/manifests" }
  portal    = { cloud = "google", manifest_base_url = "https://portal.example/manifests" }
  instances = {}
}

run "renders_a_manifest_without_instances" {
  assert {
    condition     = join(" ", keys(output.manifests)) == "global-manifest.json"
    error_message = "The processor is there before it serves anybody."
  }
}

run "refuses_what_readers_would_refuse" {
  command = plan

  variables {
    cloud                           = "azure"
    queue_options                   = {}
    server_identity                 = { aws_account_id = "012345678901", gcp_service_account_id = "104205123456789012345", gcp_service_account_email = "nobody" }
    workload_identity_pool_provider = "aws"
    peer                            = { cloud = "none", manifest_base_url = "http://pha.example" }
    portal                          = { cloud = "none", manifest_base_url = "https://portal.example?x" }
    instances = {
      wrong = {
        locality                    = "us-ct"
        ingestor                    = "g-enpa"
        namespace                   = "us-ct"
        service_accounts            = {}
        service_account_annotations = {}
        ingestor_manifest_base_url  = "ingestor"
        storages                    = { ingestion = "gs://i", peer-validation = "gs://p", own-validation = "gs://o" }
        queues                      = { for task in ["intake", "aggregate"] : task => { topic = "t", queue = "q", rejected_topic = "r" } }
        batch_signing_public_keys   = { key = { public_key = "-----BEGIN PRIVATE KEY-----", expiration = "never" } }
        packet_encryption_csrs      = { key = "-----BEGIN PRIVATE KEY-----" }
      }
    }
  }

  expect_failures = [
    var.cloud,
    var.queue_options,
    var.server_identity,
    var.workload_identity_pool_provider,
    var.peer,
    var.portal,
    var.instances,
  ]
}
