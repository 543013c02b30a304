mock_provider "aws" {
  source = "../../../testing/aws"
}

variables {
  environment = "prod"
  is_first    = true
  cluster     = { name = "prio" }
  ingestors = {
    g-enpa     = { manifest_base_url = "https://g-enpa.example/manifests", gcp_service_account_id = "104205123456789012345" }
    apple-enpa = { manifest_base_url = "https://apple-enpa.example/manifests", aws_iam_entity = "arn:aws:iam::210987654321:role/uploader" }
  }
  localities = {
    us-ct = { ingestors = ["g-enpa", "apple-enpa"] }
    us-wa = { ingestors = ["g-enpa"], namespace = "washington" }
  }
  peer = {
    cloud                  = "google"
    manifest_base_url      = "https://facilitator.example/manifests"
    gcp_service_account_id = "104205123456789054321"
  }
  portal = {
    cloud             = "google"
    manifest_base_url = "https://portal.example/manifests"
  }
  google_identity = {
    service_account_email           = "prio-pha@project.iam.gserviceaccount.com"
    workload_identity_pool_provider = "projects/123456789012/locations/global/workloadIdentityPools/prio-pha-a/providers/aws"
  }
}

run "serves_each_ingestor_of_each_locality" {
  assert {
    condition     = toset(keys(output.manifests)) == toset(["global-manifest.json", "us-ct-g-enpa-manifest.json", "us-ct-apple-enpa-manifest.json", "us-wa-g-enpa-manifest.json"])
    error_message = "Each instance has a manifest, and all of them one together."
  }

  assert {
    condition     = output.kustomize_values["us-wa-g-enpa"].namespace == "washington"
    error_message = "A locality may have another namespace."
  }

  assert {
    condition     = jsondecode(output.manifests["global-manifest.json"])["server-identity"]["aws-account-id"] == 12345678901
    error_message = "The account is a number in manifests."
  }
}

run "lets_google_in_by_roles_and_aws_directly" {
  assert {
    condition     = contains(keys(jsondecode(output.manifests["us-ct-g-enpa-manifest.json"])), "ingestion-identity")
    error_message = "An ingestor at Google assumes a role."
  }

  assert {
    condition     = !contains(keys(jsondecode(output.manifests["us-ct-apple-enpa-manifest.json"])), "ingestion-identity")
    error_message = "An ingestor at AWS is let in as whom it is."
  }

  assert {
    condition     = contains(keys(jsondecode(output.manifests["us-ct-g-enpa-manifest.json"])), "peer-validation-identity")
    error_message = "A peer at Google assumes a role."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    environment = "Production"
    ingestors   = { nobody = { manifest_base_url = "https://nobody.example/manifests" } }
    peer        = { cloud = "aws", manifest_base_url = "https://pha.example/manifests", aws_account_id = "12345678901" }
    portal      = { cloud = "aws", manifest_base_url = "https://portal.example/manifests" }
  }

  expect_failures = [var.environment, var.ingestors, var.peer, var.portal]
}

run "refuses_an_ingestor_that_is_not_described" {
  command = plan

  variables {
    localities = { us-ct = { ingestors = ["unknown"] } }
  }

  expect_failures = [var.localities]
}

run "needs_the_pool_for_whoever_is_at_google" {
  command = plan

  variables {
    google_identity = { service_account_email = "prio-pha@project.iam.gserviceaccount.com" }
  }

  expect_failures = [var.google_identity]
}
