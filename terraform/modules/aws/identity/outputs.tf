output "program_roles" {
  description = "ARNs of the roles of the programs publisher, intake and aggregate."
  value       = { for program, role in aws_iam_role.programs : program => role.arn }
}

output "service_account_annotations" {
  description = "Annotations of the programs' Kubernetes service accounts: the role with IRSA, none with Pod Identity."
  value = {
    for program, role in aws_iam_role.programs : program => local.is_irsa ? { "eks.amazonaws.com/role-arn" = role.arn } : {}
  }
}

output "ingestion_identity" {
  description = "Role that the ingestor assumes from Google, for ingestion-identity of our manifest; null if it needs none."
  value       = try(aws_iam_role.writers["ingestion-writer"].arn, null)
}

output "peer_validation_identity" {
  description = "Role that the peer assumes from Google, for peer-validation-identity of our manifest; null if it needs none."
  value       = try(aws_iam_role.writers["peer-validation-writer"].arn, null)
}
