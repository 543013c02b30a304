mock_provider "aws" {
  source = "../../testing/aws"
}

mock_provider "google" {
  source = "../../testing/google"
}

variables {
  project                = "my-project"
  aws_account_id         = "012345678901"
  ingestor_account_id    = "104205123456789054321"
  ingestor_account_email = "uploader@ingestor.iam.gserviceaccount.com"
}

run "writes_into_the_other_cloud" {
  assert {
    condition     = jsondecode(output.kustomize_files.pha["us-ct-ingestor-1.json"])["intake-batch-worker"]["gcp-workload-identity-pool-provider"] == module.pha_at_google.workload_identity_pool_provider
    error_message = "From AWS, we are at Google by the pool."
  }

  assert {
    condition     = jsondecode(output.kustomize_files.facilitator["us-ct-ingestor-1.json"])["intake-batch-worker"]["peer-gcp-sa-to-impersonate-before-assuming-role"] == module.facilitator.service_account_email
    error_message = "From Google, we assume a role at AWS as our account."
  }

  assert {
    condition     = contains(keys(jsondecode(output.manifests.pha["us-ct-ingestor-1-manifest.json"])), "peer-validation-identity")
    error_message = "The peer must be told which role that is."
  }

  assert {
    condition     = !contains(keys(jsondecode(output.manifests.facilitator["us-ct-ingestor-1-manifest.json"])), "peer-validation-identity")
    error_message = "At Google, the peer is let in as whom it is."
  }
}
