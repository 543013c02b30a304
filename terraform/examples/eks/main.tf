# A facilitator's server on EKS for two localities; its peer and the portal are at AWS, too. One ingestor writes from
# AWS, the other from Google.
provider "aws" {
  region = var.region

  default_tags {
    tags = { application = "data-share-processor" }
  }
}

module "data_share_processor" {
  source = "../../modules/data-share-processor/aws"

  environment = var.environment
  is_first    = false
  cluster     = { name = var.cluster_name }

  ingestors = {
    ingestor-1 = {
      manifest_base_url = "https://ingestor-1.example/manifests"
      aws_iam_entity    = "arn:aws:iam::210987654321:role/uploader"
    }
    ingestor-2 = {
      manifest_base_url      = "https://ingestor-2.example/manifests"
      gcp_service_account_id = "104205123456789012345"
    }
  }

  localities = {
    us-ct = { ingestors = ["ingestor-1", "ingestor-2"] }
    us-wa = { ingestors = ["ingestor-1"] }
  }

  peer = {
    cloud             = "aws"
    manifest_base_url = "https://pha.example/manifests"
    aws_account_id    = "098765432109"
    validation_buckets = {
      for instance in ["us-ct-ingestor-1", "us-ct-ingestor-2", "us-wa-ingestor-1"] : instance => {
        arn         = "arn:aws:s3:::prio-pha-${instance}-peer-validation"
        kms_key_arn = "arn:aws:kms:eu-west-1:098765432109:key/1b2c3d4e-0000-4000-8000-000000000001"
      }
    }
  }

  portal = {
    cloud             = "aws"
    manifest_base_url = "https://portal.example/manifests"
    bucket            = { arn = "arn:aws:s3:::portal-facilitator-sum-parts" }
  }

  google_identity = { service_account_email = var.google_service_account_email }

  batch_signing_public_keys = var.batch_signing_public_keys
  packet_encryption_csrs    = var.packet_encryption_csrs
}
