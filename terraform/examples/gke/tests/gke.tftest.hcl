mock_provider "google" {
  source = "../../testing/google"
}

variables {
  project = "my-project"
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
    condition     = jsondecode(output.manifests["global-manifest.json"])["server-identity"]["gcp-service-account-id"] == "104205123456789012345"
    error_message = "Others at AWS know us by our account's id."
  }

  assert {
    condition = alltrue([
      for file in values(output.kustomize_files) : jsondecode(file)["intake-batch-worker"]["peer-identity"] == "mock@my-project.iam.gserviceaccount.com"
    ])
    error_message = "At Google, we write as the account that manifests name."
  }
}
