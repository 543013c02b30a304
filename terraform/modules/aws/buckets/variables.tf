variable "name" {
  description = "First part of the names of the three buckets: NAME-ingestion, NAME-peer-validation, NAME-own-validation."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,45}[a-z0-9]$", var.name))
    error_message = "The name must be 3 to 47 lower-case letters, digits and -, so that NAME-peer-validation is a name of S3; e.g. prio-prod-us-ct-g-enpa."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts all objects. Its policy must let writers of other accounts use it. Null: a key of S3."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "The key must be an ARN like arn:aws:kms:eu-west-1:123456789012:key/1234abcd-…, not an alias, which other accounts cannot use."
  }
}

variable "retention_days" {
  description = "Age at which objects are deleted."
  type        = number
  default     = 7

  validation {
    condition     = var.retention_days >= 2 && floor(var.retention_days) == var.retention_days
    error_message = "Objects must be kept for at least 2 whole days: they are needed until their window is aggregated; 7 is usual."
  }
}

variable "program_roles" {
  description = "ARNs of the roles of our programs: what each may do with which bucket is told in policies.tf."
  type = object({
    publisher = string
    intake    = string
    aggregate = string
  })

  validation {
    condition     = alltrue([for arn in values(var.program_roles) : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "Each program must have the ARN of a role, like arn:aws:iam::123456789012:role/prio-prod-us-ct-g-enpa-intake."
  }
}

variable "ingestion_writers" {
  description = "ARNs of those who upload ingestion batches: the ingestor's role, user or account (…:root), or our role that it assumes."
  type        = list(string)

  validation {
    condition     = alltrue([for arn in var.ingestion_writers : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/.+)$", arn))])
    error_message = "Each writer must be the ARN of a role, a user or an account (arn:aws:iam::123456789012:root); \"*\" would be everybody."
  }
}

variable "peer_validation_writers" {
  description = "ARNs of those who write the peer's validation batches: the peer's account (…:root) or role, or our role that it assumes."
  type        = list(string)

  validation {
    condition     = alltrue([for arn in var.peer_validation_writers : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/.+)$", arn))])
    error_message = "Each writer must be the ARN of a role, a user or an account (arn:aws:iam::123456789012:root); \"*\" would be everybody."
  }
}

variable "administrators" {
  description = "ARNs, also with * for any text, of those who may read, write and delete objects besides the parties, e.g. in an emergency."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.administrators : can(regex("^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:.+$", arn))])
    error_message = "Each administrator must be an ARN with an account, like arn:aws:iam::123456789012:role/break-glass."
  }
}

variable "force_destroy" {
  description = "Whether the buckets can be destroyed with objects in them; for tests."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of all buckets."
  type        = map(string)
  default     = {}
}
