variable "name" {
  description = "First part of the names of the roles: NAME-publisher, NAME-intake, …."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,40}$", var.name))
    error_message = "The name must be 1 to 40 letters, digits and +=,.@_-, so that NAME-peer-validation-writer is a name of a role."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the programs."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "The namespace must be a DNS label: at most 63 lower-case letters, digits and -, like us-ct."
  }
}

variable "service_accounts" {
  description = "Names of the Kubernetes service accounts of the programs."
  type = object({
    publisher = string
    intake    = string
    aggregate = string
  })

  validation {
    condition     = length(distinct(values(var.service_accounts))) == 3
    error_message = "Each program must have a service account of its own, else it has the permissions of another, too."
  }
}

variable "cluster" {
  description = "The EKS cluster, and how pods get roles there: \"pod-identity\" (the EKS Pod Identity agent), or \"irsa\" with the ARN of the cluster's OIDC provider."
  type = object({
    name              = string
    identity          = optional(string, "pod-identity")
    oidc_provider_arn = optional(string)
  })

  validation {
    condition     = contains(["pod-identity", "irsa"], var.cluster.identity)
    error_message = "The identity must be \"pod-identity\" or \"irsa\"."
  }

  validation {
    condition     = (var.cluster.identity == "irsa") == (var.cluster.oidc_provider_arn != null)
    error_message = "With identity \"irsa\", and only then, oidc_provider_arn must be given, like arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/…."
  }
}

variable "bucket_arns" {
  description = "ARNs of our buckets, as ../buckets gives them."
  type = object({
    ingestion       = string
    peer-validation = string
    own-validation  = string
  })
}

variable "queues" {
  description = "The queues of intake and aggregate tasks, as ../task-queue gives them."
  type = map(object({
    topic_arn          = string
    queue_arn          = string
    rejected_topic_arn = string
  }))

  validation {
    condition     = toset(keys(var.queues)) == toset(["intake", "aggregate"])
    error_message = "There must be exactly the queues \"intake\" and \"aggregate\"."
  }
}

variable "kms_key_arns" {
  description = "Keys of our buckets and queues; none where the services' own are used."
  type        = list(string)
  default     = []
}

variable "peer_bucket" {
  description = "The peer's bucket for our validation batches, and its key, if the peer is at AWS. Elsewhere a role or service account of the peer's cloud writes."
  type = object({
    arn         = string
    kms_key_arn = optional(string)
  })
  default = null
}

variable "portal_bucket" {
  description = "The portal's bucket for our sum parts, and its key, if the portal is at AWS."
  type = object({
    arn         = string
    kms_key_arn = optional(string)
  })
  default = null
}

variable "ingestor_google_account" {
  description = "The ingestor's Google service account by its unique id (a number), if it writes from Google: gcp-service-account-id of its manifest."
  type        = object({ unique_id = string })
  default     = null

  validation {
    condition     = var.ingestor_google_account == null || can(regex("^[0-9]{15,30}$", var.ingestor_google_account.unique_id))
    error_message = "unique_id must be about 21 digits, not the e-mail address, which somebody else could have after it."
  }
}

variable "peer_google_account" {
  description = "The peer's Google service account by its unique id (a number), if it writes from Google: gcp-service-account-id of its global manifest."
  type        = object({ unique_id = string })
  default     = null

  validation {
    condition     = var.peer_google_account == null || can(regex("^[0-9]{15,30}$", var.peer_google_account.unique_id))
    error_message = "unique_id must be about 21 digits, not the e-mail address, which somebody else could have after it."
  }
}

variable "tags" {
  description = "Tags of all roles."
  type        = map(string)
  default     = {}
}
