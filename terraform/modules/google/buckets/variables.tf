variable "project" {
  description = "Id of the project of the buckets."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "The project must be its id, 6 to 30 lower-case letters, digits and -, not its number or display name."
  }
}

variable "location" {
  description = "Where the buckets are: a region or a multi-region, that of the key."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z]{2,}([0-9]|[A-Za-z0-9-]*)$", var.location))
    error_message = "The location must be a region or a multi-region of Cloud Storage, like us-west1 or EU."
  }
}

variable "name" {
  description = "First part of the names of the three buckets: NAME-ingestion, NAME-peer-validation, NAME-own-validation."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,45}[a-z0-9]$", var.name)) && !can(regex("^goog|google", var.name))
    error_message = "The name must be 3 to 47 lower-case letters, digits and -, without google, so that NAME-peer-validation is a name of a bucket; e.g. prio-prod-us-ct-g-enpa."
  }
}

variable "kms_key_name" {
  description = "Key that encrypts all objects (projects/…/cryptoKeys/…), in the same location, which Cloud Storage's agent may use. Null: a key of Google."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_name == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key_name))
    error_message = "The key must be its full name, projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY."
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

variable "programs" {
  description = "Members that our programs are."
  type = object({
    publisher = string
    intake    = string
    aggregate = string
  })

  validation {
    condition     = alltrue([for member in values(var.programs) : can(regex("^(serviceAccount|principal):.+$", member))])
    error_message = "Each program must be one member, like principal://… or serviceAccount:…."
  }
}

variable "ingestion_writers" {
  description = "Members that upload ingestion batches: the ingestor's service account, serviceAccount:EMAIL."
  type        = list(string)

  validation {
    condition     = alltrue([for member in var.ingestion_writers : can(regex("^(serviceAccount|principal):.+$", member))])
    error_message = "Each writer must be one member, like serviceAccount:name@project.iam.gserviceaccount.com; allUsers would be everybody."
  }
}

variable "peer_validation_writers" {
  description = "Members that write the peer's validation batches: the peer's service account, serviceAccount:EMAIL."
  type        = list(string)

  validation {
    condition     = alltrue([for member in var.peer_validation_writers : can(regex("^(serviceAccount|principal):.+$", member))])
    error_message = "Each writer must be one member, like serviceAccount:name@project.iam.gserviceaccount.com; allUsers would be everybody."
  }
}

variable "force_destroy" {
  description = "Whether the buckets can be destroyed with objects in them; for tests."
  type        = bool
  default     = false
}

variable "labels" {
  description = "Labels of all buckets."
  type        = map(string)
  default     = {}
}
