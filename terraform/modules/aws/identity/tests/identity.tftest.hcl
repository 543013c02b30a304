mock_provider "aws" {
  source = "../../../testing/aws"
}

variables {
  name             = "prod-us-ct-g-enpa"
  namespace        = "us-ct"
  service_accounts = { publisher = "workflow-manager-g-enpa", intake = "intake-batch-g-enpa", aggregate = "aggregate-g-enpa" }
  cluster          = { name = "prio" }
  bucket_arns = {
    ingestion       = "arn:aws:s3:::i"
    peer-validation = "arn:aws:s3:::p"
    own-validation  = "arn:aws:s3:::o"
  }
  queues = {
    intake = {
      topic_arn          = "arn:aws:sns:eu-west-1:123456789012:intake"
      queue_arn          = "arn:aws:sqs:eu-west-1:123456789012:intake"
      rejected_topic_arn = "arn:aws:sns:eu-west-1:123456789012:intake-rejected"
    }
    aggregate = {
      topic_arn          = "arn:aws:sns:eu-west-1:123456789012:aggregate"
      queue_arn          = "arn:aws:sqs:eu-west-1:123456789012:aggregate"
      rejected_topic_arn = "arn:aws:sns:eu-west-1:123456789012:aggregate-rejected"
    }
  }
}

run "gives_roles_to_the_pods_of_one_service_account_each" {
  assert {
    condition     = jsondecode(aws_iam_role.programs["intake"].assume_role_policy).Statement[0].Condition.StringEquals["aws:RequestTag/kubernetes-service-account"] == "intake-batch-g-enpa"
    error_message = "No other pod may have the role."
  }

  assert {
    condition     = aws_eks_pod_identity_association.programs["aggregate"].service_account == "aggregate-g-enpa"
    error_message = "The agent must know whose role it is."
  }

  assert {
    condition     = alltrue([for annotations in values(output.service_account_annotations) : length(annotations) == 0])
    error_message = "Pod Identity has no annotations."
  }
}

run "lets_nobody_delete_and_the_publisher_take_no_tasks" {
  assert {
    condition     = !strcontains(join("", [for policy in aws_iam_role_policy.programs : policy.policy]), "s3:Delete")
    error_message = "No program deletes objects at S3."
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.programs["publisher"].policy, "sqs:")
    error_message = "The publisher has nothing to do with queues."
  }

  assert {
    condition = alltrue(flatten([
      for policy in aws_iam_role_policy.programs : [
        for statement in jsondecode(policy.policy).Statement : [for text in flatten([statement.Action, statement.Resource]) : text != "*" && !endswith(text, ":*")]
      ]
    ]))
    error_message = "Every permission must name actions and resources."
  }

  assert {
    condition     = output.ingestion_identity == null && output.peer_validation_identity == null
    error_message = "Nobody at Google writes here."
  }
}

run "gives_roles_by_the_clusters_issuer" {
  variables {
    cluster = {
      name              = "prio"
      identity          = "irsa"
      oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF"
    }
  }

  assert {
    condition     = jsondecode(aws_iam_role.programs["intake"].assume_role_policy).Statement[0].Condition.StringEquals["oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF:sub"] == "system:serviceaccount:us-ct:intake-batch-g-enpa"
    error_message = "No other service account may have the role."
  }

  assert {
    condition     = length(aws_eks_pod_identity_association.programs) == 0
    error_message = "With IRSA there is no association."
  }

  assert {
    condition     = output.service_account_annotations.intake["eks.amazonaws.com/role-arn"] == output.program_roles.intake
    error_message = "IRSA needs the annotation."
  }
}

run "lets_service_accounts_of_google_write" {
  variables {
    ingestor_google_account = { unique_id = "104205123456789012345" }
    peer_google_account     = { unique_id = "104205123456789054321" }
  }

  assert {
    condition     = jsondecode(aws_iam_role.writers["peer-validation-writer"].assume_role_policy).Statement[0].Condition.StringEquals["accounts.google.com:sub"] == "104205123456789054321"
    error_message = "The peer is known by its account's id."
  }

  assert {
    condition     = jsondecode(aws_iam_role.writers["ingestion-writer"].assume_role_policy).Statement[0].Condition.StringEquals["accounts.google.com:oaud"] == "sts.amazonaws.com/gke-identity-federation"
    error_message = "Tokens for other audiences are none for us."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.writers["ingestion-writer"].policy).Statement[0].Resource == ["arn:aws:s3:::i/*"]
    error_message = "The ingestor writes ingestion batches and nothing else."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name                    = "a role"
    namespace               = "US_CT"
    service_accounts        = { publisher = "one", intake = "one", aggregate = "one" }
    cluster                 = { name = "prio", identity = "irsa" }
    ingestor_google_account = { unique_id = "uploader@ingestor.iam.gserviceaccount.com" }
    peer_google_account     = { unique_id = "peer" }
  }

  expect_failures = [
    var.name,
    var.namespace,
    var.service_accounts,
    var.cluster,
    var.ingestor_google_account,
    var.peer_google_account,
  ]
}
