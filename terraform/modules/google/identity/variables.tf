variable "project" {
  description = "Id of the project of the service account, the pool, and the GKE cluster if there is one."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "The project must be its id, 6 to 30 lower-case letters, digits and -, not its number or display name."
  }
}

variable "project_number" {
  description = "Number of that project, which is in the names of pools."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "The project's number must be digits only; gcloud projects describe PROJECT --format='value(projectNumber)'."
  }
}

variable "account_id" {
  description = "Id of the service account whom the others know us as: the part of its e-mail address before @. Also the name of the pool for AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.account_id)) && !startswith(var.account_id, "gcp-")
    error_message = "The id must be 6 to 30 lower-case letters, digits and -, the first a letter, not beginning with gcp-; e.g. prio-prod."
  }
}

variable "workloads" {
  description = "By any name, programs on GKE: Kubernetes namespace and service account, and whether the program acts as our service account where others have their storages (intake and aggregate workers do)."
  type = map(object({
    namespace       = string
    service_account = string
    acts_as_us      = bool
  }))
  default = {}

  validation {
    condition     = length(distinct([for workload in values(var.workloads) : "${workload.namespace}/${workload.service_account}"])) == length(var.workloads)
    error_message = "Each program must have a service account of its own, else it has the permissions of another, too."
  }
}

variable "aws" {
  description = "Programs on EKS that act as our service account at Google: the account, and the names of their roles. Null: none."
  type = object({
    account_id = string
    role_names = set(string)
  })
  default = null

  validation {
    condition     = var.aws == null || can(regex("^[0-9]{12}$", var.aws.account_id))
    error_message = "The AWS account must be 12 digits, as text."
  }

  validation {
    condition     = var.aws == null || try(length(var.aws.role_names) > 0, false)
    error_message = "At least one role must be named; without any, let aws be null."
  }
}
