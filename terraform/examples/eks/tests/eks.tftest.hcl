mock_provider "aws" {
  source = "../../testing/aws"
}

variables {
  google_service_account_email = "prio-facilitator@project.iam.gserviceaccount.com"
}

run "publishes_a_manifest_for_each_instance" {
  assert {
    condition = toset(keys(output.manifests)) == toset([
      "global-manifest.json",
      "us-ct-ingestor-1-manifest.json",
      "us-ct-ingestor-2-manifest.json",
      "us-wa-ingestor-1-manifest.json",
    ])
    error_message = "There must be a manifest for each of the three instances, and one for all."
  }

  assert {
    condition = alltrue([
      for file in values(output.kustomize_files) : jsondecode(file)["intake-batch-worker"]["peer-use-default-aws-credentials-provider"] == "true"
    ])
    error_message = "At AWS, we write to a peer at AWS as whom we are."
  }
}
