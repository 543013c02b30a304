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

variable "project" {
  description = "Id of the project of everything, also of the GKE cluster, which has Workload Identity Federation."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "The project must be its id, 6 to 30 lower-case letters, digits and -, not its number or display name."
  }
}

variable "location" {
  description = "Where buckets and keys are: a region, like us-west1, or a multi-region that Cloud KMS has, too."
  type        = string
}

variable "ingestors" {
  description = "By name, those who upload contributions: where their manifests are, and from there gcp-service-account-email, as whom they write, also from AWS."
  type = map(object({
    manifest_base_url         = string
    gcp_service_account_email = string
  }))

  validation {
    condition     = alltrue([for ingestor in values(var.ingestors) : can(regex("^[^@[:space:]]+@[^@[:space:]]+\\.gserviceaccount\\.com$", ingestor.gcp_service_account_email))])
    error_message = "Each ingestor must have the e-mail address of a service account, like name@project.iam.gserviceaccount.com."
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
  description = "The other data share processor: its cloud, where its manifests are, and gcp-service-account-email of its global manifest, as whom it writes, also from AWS."
  type = object({
    cloud                     = string
    manifest_base_url         = string
    gcp_service_account_email = string
  })

  validation {
    condition     = can(regex("^[^@[:space:]]+@[^@[:space:]]+\\.gserviceaccount\\.com$", var.peer.gcp_service_account_email))
    error_message = "The peer must have the e-mail address of a service account, like name@project.iam.gserviceaccount.com."
  }
}

variable "portal" {
  description = "The portal: its cloud; where its manifest is; whom it wants us to be there, at Google a service account that lets ours impersonate it (default: ours), at AWS a role that our account may assume."
  type = object({
    cloud             = string
    manifest_base_url = string
    identity          = optional(string)
  })

  validation {
    condition     = var.portal.cloud != "aws" || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$", var.portal.identity))
    error_message = "A portal at AWS must have the ARN of a role as identity, like arn:aws:iam::123456789012:role/sum-part-writer."
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

variable "labels" {
  description = "Labels of all resources that have some."
  type        = map(string)
  default     = {}
}
