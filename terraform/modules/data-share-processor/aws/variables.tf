variable "environment" {
  description = "Name of the deployment, first part of all names: prio-ENVIRONMENT-LOCALITY-INGESTOR-…."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.environment))
    error_message = "The environment must be 1 to 16 lower-case letters, digits and -, the first a letter, like prod."
  }
}

variable "is_first" {
  description = "Whether this is the PHA's server, which gets the first share; false for the facilitator's."
  type        = bool
}

variable "cluster" {
  description = "The EKS cluster, and how its pods get roles: \"pod-identity\", or \"irsa\" with the ARN of its OIDC provider."
  type = object({
    name              = string
    identity          = optional(string, "pod-identity")
    oidc_provider_arn = optional(string)
  })
}

variable "ingestors" {
  description = "By name, those who upload contributions: where their manifests are, and from there aws-iam-entity (writing from AWS) or gcp-service-account-id (writing from Google)."
  type = map(object({
    manifest_base_url      = string
    aws_iam_entity         = optional(string)
    gcp_service_account_id = optional(string)
  }))

  validation {
    condition     = alltrue([for ingestor in values(var.ingestors) : (ingestor.aws_iam_entity == null) != (ingestor.gcp_service_account_id == null)])
    error_message = "Each ingestor must have either aws_iam_entity or gcp_service_account_id: it writes from one cloud."
  }
}

variable "localities" {
  description = "By name, who is served: the names of their ingestors, and the Kubernetes namespace (default: the locality's name)."
  type = map(object({
    ingestors = set(string)
    namespace = optional(string)
  }))

  validation {
    condition     = alltrue([for name in keys(var.localities) : can(regex("^[a-z][a-z0-9-]{0,20}$", name))])
    error_message = "Each locality must be called by 1 to 21 lower-case letters, digits and -, the first a letter, like us-ct."
  }

  validation {
    condition     = alltrue(flatten([for locality in values(var.localities) : [for name in locality.ingestors : contains(keys(var.ingestors), name)]]))
    error_message = "Each locality may only name ingestors that var.ingestors describes."
  }
}

variable "peer" {
  description = "The other data share processor: its cloud; where its manifests are; from its global manifest aws-account-id as text of 12 digits or gcp-service-account-id; and, at AWS, by instance its bucket for our validation batches (ARN, and of its key)."
  type = object({
    cloud                  = string
    manifest_base_url      = string
    aws_account_id         = optional(string)
    gcp_service_account_id = optional(string)
    validation_buckets     = optional(map(object({ arn = string, kms_key_arn = optional(string) })), {})
  })

  validation {
    condition     = var.peer.cloud != "aws" || can(regex("^[0-9]{12}$", var.peer.aws_account_id))
    error_message = "A peer at AWS must have aws_account_id, 12 digits as text (the number in its manifest lacks leading zeros)."
  }

  validation {
    condition     = var.peer.cloud != "google" || var.peer.gcp_service_account_id != null
    error_message = "A peer at Google must have gcp_service_account_id, which is in its global manifest."
  }
}

variable "portal" {
  description = "The portal: its cloud; where its manifest is; at Google the service account to be there (default: ours); at AWS its bucket (ARN, and of its key), which has to admit our aggregate roles."
  type = object({
    cloud             = string
    manifest_base_url = string
    identity          = optional(string)
    bucket            = optional(object({ arn = string, kms_key_arn = optional(string) }))
  })

  validation {
    condition     = var.portal.cloud != "aws" || (var.portal.bucket != null && var.portal.identity == null)
    error_message = "A portal at AWS must have a bucket and no identity: we write as our own role, which needs to know the bucket."
  }
}

variable "google_identity" {
  description = "Whom we are at Google: e-mail address of our service account there (manifests need it in any case), and the provider by which our roles may be it, both as ../../google/identity gives them."
  type = object({
    service_account_email           = string
    workload_identity_pool_provider = optional(string)
  })

  validation {
    condition     = !contains([var.peer.cloud, var.portal.cloud], "google") || var.google_identity.workload_identity_pool_provider != null
    error_message = "workload_identity_pool_provider must be given, as the peer or the portal is at Google."
  }
}

variable "batch_signing_public_keys" {
  description = "By instance and identifier, our public keys for its manifest: PEM, and when they expire (RFC 3339)."
  type        = map(map(object({ public_key = string, expiration = string })))
  default     = {}
}

variable "packet_encryption_csrs" {
  description = "By locality and identifier, certificate signing requests of our packet encryption keys, PEM."
  type        = map(map(string))
  default     = {}
}

variable "administrators" {
  description = "ARNs of those who may read, write and delete objects besides the parties."
  type        = list(string)
  default     = []
}

variable "scaler_role_name" {
  description = "Name of the role of KEDA's operator, which is then let look at how full the queues are."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}
