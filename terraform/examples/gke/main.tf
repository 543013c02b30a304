# The PHA's server on GKE for two localities; its peer is on GKE, too, and the portal's buckets are at Google.
provider "google" {
  project = var.project
  region  = var.region
}

module "data_share_processor" {
  source = "../../modules/data-share-processor/google"

  environment = var.environment
  is_first    = true
  project     = var.project
  location    = var.region

  ingestors = {
    ingestor-1 = {
      manifest_base_url         = "https://ingestor-1.example/manifests"
      gcp_service_account_email = "uploader@ingestor-1.iam.gserviceaccount.com"
    }
    ingestor-2 = {
      manifest_base_url         = "https://ingestor-2.example/manifests"
      gcp_service_account_email = "uploader@ingestor-2.iam.gserviceaccount.com"
    }
  }

  localities = {
    us-ct = { ingestors = ["ingestor-1", "ingestor-2"] }
    us-wa = { ingestors = ["ingestor-1"] }
  }

  peer = {
    cloud                     = "google"
    manifest_base_url         = "https://facilitator.example/manifests"
    gcp_service_account_email = "prio-prod@facilitator.iam.gserviceaccount.com"
  }

  portal = {
    cloud             = "google"
    manifest_base_url = "https://portal.example/manifests"
  }

  batch_signing_public_keys = var.batch_signing_public_keys
  packet_encryption_csrs    = var.packet_encryption_csrs
}
