# Two servers that write into each other's cloud: the PHA's on EKS, the facilitator's on GKE. The portal is at Google. In
# reality each server has its own configuration, and the values of the other come from its manifests.
provider "aws" {
  region = var.region
}

provider "google" {
  project = var.project
  region  = var.google_region
}

locals {
  localities = {
    us-ct = { ingestors = ["ingestor-1"] }
  }
}

data "google_project" "this" {
  project_id = var.project
}

# Whom the PHA's server is at Google, for the facilitator's bucket and the portal's.
module "pha_at_google" {
  source = "../../modules/google/identity"

  project        = var.project
  project_number = data.google_project.this.number
  account_id     = "prio-pha"

  aws = {
    account_id = var.aws_account_id
    # Of programs that write elsewhere; named as the module names them.
    role_names = flatten([
      for locality, served in local.localities : [
        for ingestor in served.ingestors : [for program in ["intake", "aggregate"] : "pha-${locality}-${ingestor}-${program}"]
      ]
    ])
  }
}

module "pha" {
  source = "../../modules/data-share-processor/aws"

  environment = "pha"
  is_first    = true
  cluster     = { name = var.cluster_name }
  localities  = local.localities

  ingestors = {
    ingestor-1 = {
      manifest_base_url      = "https://ingestor-1.example/manifests"
      gcp_service_account_id = var.ingestor_account_id
    }
  }

  peer = {
    cloud                  = "google"
    manifest_base_url      = "https://facilitator.example/manifests"
    gcp_service_account_id = module.facilitator.service_account_id
  }

  portal = {
    cloud             = "google"
    manifest_base_url = "https://portal.example/manifests"
  }

  google_identity = {
    service_account_email           = module.pha_at_google.service_account_email
    workload_identity_pool_provider = module.pha_at_google.workload_identity_pool_provider
  }
}

module "facilitator" {
  source = "../../modules/data-share-processor/google"

  environment = "facilitator"
  is_first    = false
  project     = var.project
  location    = var.google_region
  localities  = local.localities

  ingestors = {
    ingestor-1 = {
      manifest_base_url         = "https://ingestor-1.example/manifests"
      gcp_service_account_email = var.ingestor_account_email
    }
  }

  peer = {
    cloud                     = "aws"
    manifest_base_url         = "https://pha.example/manifests"
    gcp_service_account_email = module.pha_at_google.service_account_email
  }

  portal = {
    cloud             = "google"
    manifest_base_url = "https://portal.example/manifests"
  }
}
