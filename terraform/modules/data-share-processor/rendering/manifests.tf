# The manifests by which the others find us. docs/manifests.md, "Kinds".
locals {
  global_manifest = {
    format = 1
    server-identity = merge(
      # A number, so that an account's leading zeros are lost; readers know that accounts have 12 digits.
      { for id in compact([var.server_identity.aws_account_id]) : "aws-account-id" => tonumber(id) },
      { for id in compact([var.server_identity.gcp_service_account_id]) : "gcp-service-account-id" => id },
      { "gcp-service-account-email" = var.server_identity.gcp_service_account_email },
    )
  }

  specific_manifests = {
    for name, instance in var.instances : name => merge(
      {
        format                 = 1
        ingestion-bucket       = instance.storages.ingestion
        peer-validation-bucket = instance.storages.peer-validation
        batch-signing-public-keys = {
          for id, key in instance.batch_signing_public_keys : id => { public-key = key.public_key, expiration = key.expiration }
        }
        packet-encryption-keys = {
          for id, csr in instance.packet_encryption_csrs : id => { certificate-signing-request = csr }
        }
      },
      # null is refused by readers; what is absent is none.
      { for identity in compact([instance.ingestion_identity]) : "ingestion-identity" => identity },
      { for identity in compact([instance.peer_validation_identity]) : "peer-validation-identity" => identity },
    )
  }
}
