variable "project" {
  description = "Id of the project of topics and subscriptions: --gcp-project-id."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "The project must be its id, 6 to 30 lower-case letters, digits and -, not its number or display name."
  }
}

variable "project_number" {
  description = "Number of that project, which is in the name of the agent by which Pub/Sub moves dead letters."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.project_number))
    error_message = "The project's number must be digits only; gcloud projects describe PROJECT --format='value(projectNumber)'."
  }
}

variable "name" {
  description = "Name of the topic and the subscription of tasks, and the first part of the names of the others."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9._~+%-]{2,200}$", var.name)) && !startswith(var.name, "goog")
    error_message = "The name must be 3 to 201 letters, digits and -._~+%, the first a letter, and not begin with goog; e.g. prod-us-ct-g-enpa-intake."
  }
}

variable "publishers" {
  description = "Members that may publish tasks: our publisher."
  type        = list(string)

  validation {
    condition     = alltrue([for member in var.publishers : can(regex("^(serviceAccount|principal|principalSet):.+$", member))])
    error_message = "Each publisher must be a member like principal://… or serviceAccount:…."
  }
}

variable "consumers" {
  description = "Members that may take tasks, and publish those that cannot be done to the rejected topic: our workers of one kind."
  type        = list(string)

  validation {
    condition     = alltrue([for member in var.consumers : can(regex("^(serviceAccount|principal|principalSet):.+$", member))])
    error_message = "Each consumer must be a member like principal://… or serviceAccount:…."
  }
}

variable "kms_key_name" {
  description = "Key that encrypts all messages at rest (projects/…/cryptoKeys/…), which Pub/Sub's agent may use. Null: a key of Google."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_name == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key_name))
    error_message = "The key must be its full name, projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY."
  }
}

variable "ack_deadline_seconds" {
  description = "How long a worker holds a task between two signs of life, as the subscription has it; workers set their own by --visibility-timeout."
  type        = number
  default     = 600

  validation {
    condition     = var.ack_deadline_seconds >= 10 && var.ack_deadline_seconds <= 600
    error_message = "Pub/Sub has ack deadlines of 10 to 600 seconds; the workers' default is 600."
  }
}

variable "max_delivery_attempts" {
  description = "Deliveries after which a task is a dead letter; Pub/Sub counts by best effort."
  type        = number
  default     = 5

  validation {
    condition     = var.max_delivery_attempts >= 5 && var.max_delivery_attempts <= 100 && floor(var.max_delivery_attempts) == var.max_delivery_attempts
    error_message = "Pub/Sub takes 5 to 100 deliveries."
  }
}

variable "retention_days" {
  description = "How long a task waits for a worker. Dead letters and rejected tasks are kept for 31 days, the most that Pub/Sub has."
  type        = number
  default     = 7

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 31
    error_message = "Tasks can be kept for 1 to 31 days; batches are kept for 7."
  }
}

variable "labels" {
  description = "Labels of all topics and subscriptions."
  type        = map(string)
  default     = {}
}
