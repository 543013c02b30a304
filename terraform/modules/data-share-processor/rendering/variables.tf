variable "cloud" {
  description = "Where our programs, buckets and queues are: \"aws\" or \"google\"."
  type        = string

  validation {
    condition     = contains(["aws", "google"], var.cloud)
    error_message = "The cloud must be \"aws\" or \"google\"."
  }
}

variable "is_first" {
  description = "Whether this is the PHA's server, which gets the first share: --is-first."
  type        = bool
}

variable "queue_options" {
  description = "Where the queues are: at AWS the region, at Google the project."
  type = object({
    aws_region     = optional(string)
    google_project = optional(string)
  })

  validation {
    condition     = (var.queue_options.aws_region == null) != (var.queue_options.google_project == null)
    error_message = "Either aws_region or google_project must be given, as queues are in one cloud."
  }
}

variable "server_identity" {
  description = "Whom the others know us as, for our global manifest: at AWS the account, at Google the unique id of a service account, and in any case the e-mail address of our service account at Google."
  type = object({
    aws_account_id            = optional(string)
    gcp_service_account_id    = optional(string)
    gcp_service_account_email = string
  })

  validation {
    condition     = (var.server_identity.aws_account_id == null) != (var.server_identity.gcp_service_account_id == null)
    error_message = "Either aws_account_id or gcp_service_account_id must be given: a manifest with both is refused by its readers."
  }

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:]]+\\.gserviceaccount\\.com$", var.server_identity.gcp_service_account_email))
    error_message = "gcp_service_account_email must be the e-mail address of a service account, like name@project.iam.gserviceaccount.com; manifests need it, also from AWS."
  }
}

variable "workload_identity_pool_provider" {
  description = "Provider by which our roles at AWS are known to Google: projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER. Only at AWS, and only if the peer or the portal is at Google."
  type        = string
  default     = null

  validation {
    condition     = var.workload_identity_pool_provider == null || can(regex("^projects/[^/]+/locations/[^/]+/workloadIdentityPools/[^/]+/providers/[^/]+$", var.workload_identity_pool_provider))
    error_message = "The provider must be its full name, like projects/123456789012/locations/global/workloadIdentityPools/pool/providers/aws."
  }
}

variable "peer" {
  description = "The other data share processor: its cloud, and where its manifests are."
  type = object({
    cloud             = string
    manifest_base_url = string
  })

  validation {
    condition     = contains(["aws", "google"], var.peer.cloud)
    error_message = "The peer's cloud must be \"aws\" or \"google\"."
  }

  validation {
    condition     = can(regex("^https://[^?#[:space:]]+$", var.peer.manifest_base_url))
    error_message = "The address of the peer's manifests must begin with https:// and have no query."
  }
}

variable "portal" {
  description = "The portal: its cloud, where its manifest is, and the identity it wants us to have there (at AWS a role, at Google a service account; by default our own)."
  type = object({
    cloud             = string
    manifest_base_url = string
    identity          = optional(string)
  })

  validation {
    condition     = contains(["aws", "google"], var.portal.cloud)
    error_message = "The portal's cloud must be \"aws\" or \"google\"."
  }

  validation {
    condition     = can(regex("^https://[^?#[:space:]]+$", var.portal.manifest_base_url))
    error_message = "The address of the portal's manifest must begin with https:// and have no query."
  }
}

variable "instances" {
  description = "By instance name, LOCALITY-INGESTOR: where everything of it is. Keys are public: batch signing keys by identifier (PEM, expiration in RFC 3339), packet encryption keys as certificate signing requests by identifier."
  type = map(object({
    locality  = string
    ingestor  = string
    namespace = string

    service_accounts            = map(string)
    service_account_annotations = map(map(string))

    ingestor_manifest_base_url = string
    ingestion_identity         = optional(string)
    peer_validation_identity   = optional(string)

    storages = object({
      ingestion       = string
      peer-validation = string
      own-validation  = string
    })

    queues = map(object({
      topic          = string
      queue          = string
      rejected_topic = string
    }))

    batch_signing_public_keys = optional(map(object({ public_key = string, expiration = string })), {})
    packet_encryption_csrs    = optional(map(string), {})
  }))

  validation {
    condition     = alltrue([for name, instance in var.instances : name == "${instance.locality}-${instance.ingestor}"])
    error_message = "Each instance must be called LOCALITY-INGESTOR, as the others look for its manifest by that name."
  }

  validation {
    condition     = alltrue([for instance in values(var.instances) : can(regex("^https://[^?#[:space:]]+$", instance.ingestor_manifest_base_url))])
    error_message = "The address of each ingestor's manifest must begin with https:// and have no query."
  }

  validation {
    condition = alltrue(flatten([
      for instance in values(var.instances) : [
        for key in values(instance.batch_signing_public_keys) :
        startswith(key.public_key, "-----BEGIN PUBLIC KEY-----") && can(formatdate("YYYY", key.expiration))
      ]
    ]))
    error_message = "Each batch signing key must be a public key in PEM (-----BEGIN PUBLIC KEY-----) with an expiration like 2027-01-31T00:00:00Z. Private keys never belong here."
  }

  validation {
    condition = alltrue(flatten([
      for instance in values(var.instances) : [
        for csr in values(instance.packet_encryption_csrs) : startswith(csr, "-----BEGIN CERTIFICATE REQUEST-----")
      ]
    ]))
    error_message = "Each packet encryption key must be a certificate signing request in PEM (-----BEGIN CERTIFICATE REQUEST-----). Private keys never belong here."
  }
}
