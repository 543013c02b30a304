mock_provider "google" {
  source = "../../../testing/google"
}

variables {
  project        = "my-project"
  project_number = "123456789012"
  account_id     = "prio-prod"
}

run "knows_programs_on_gke_by_their_service_accounts" {
  variables {
    workloads = {
      publisher = { namespace = "us-ct", service_account = "workflow-manager-g-enpa", acts_as_us = false }
      intake    = { namespace = "us-ct", service_account = "intake-batch-g-enpa", acts_as_us = true }
    }
  }

  assert {
    condition     = output.members.intake == "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/my-project.svc.id.goog/subject/ns/us-ct/sa/intake-batch-g-enpa"
    error_message = "The member must be as GKE calls it."
  }

  assert {
    condition     = length(google_service_account_iam_binding.impersonation[0].members) == 1
    error_message = "The publisher writes nowhere else, so it must not be able to act as us."
  }

  assert {
    condition     = output.workload_identity_pool_provider == null
    error_message = "There is no pool without programs at AWS."
  }
}

run "knows_programs_at_aws_by_their_roles" {
  variables {
    aws = { account_id = "012345678901", role_names = ["prod-us-ct-g-enpa-intake"] }
  }

  assert {
    condition     = one(google_iam_workload_identity_pool_provider.aws[0].aws).account_id == "012345678901"
    error_message = "No other account is admitted."
  }

  assert {
    condition     = google_iam_workload_identity_pool_provider.aws[0].attribute_condition == "google.subject in [\"prod-us-ct-g-enpa-intake\"]"
    error_message = "No other role is admitted."
  }

  assert {
    condition     = one(google_service_account_iam_binding.federation[0].members) == "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/mock/subject/prod-us-ct-g-enpa-intake"
    error_message = "The role must be able to act as us."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    project        = "1"
    project_number = "my-project"
    account_id     = "prio"
    aws            = { account_id = "12345678901", role_names = [] }
    workloads = {
      one     = { namespace = "us-ct", service_account = "same", acts_as_us = false }
      another = { namespace = "us-ct", service_account = "same", acts_as_us = true }
    }
  }

  expect_failures = [var.project, var.project_number, var.account_id, var.aws, var.workloads]
}
