variable "name" {
  description = "Name of the topic and the queue of tasks, and the first part of the names of the others."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,68}$", var.name))
    error_message = "The name must be 1 to 68 letters, digits, - and _, so that NAME-dead-letter is a name of SQS; e.g. prod-us-ct-g-enpa-intake."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts all messages at rest. Its policy must let sns.amazonaws.com use it. Null: queues with a key of SQS, topics unencrypted."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "The key must be an ARN like arn:aws:kms:eu-west-1:123456789012:key/1234abcd-…, not an alias."
  }
}

variable "visibility_timeout_seconds" {
  description = "How long a worker holds a task between two signs of life: --visibility-timeout of the workers."
  type        = number
  default     = 600

  validation {
    condition     = var.visibility_timeout_seconds >= 30 && var.visibility_timeout_seconds <= 43200
    error_message = "The visibility timeout must be 30 to 43200 seconds; the workers' default is 600."
  }
}

variable "max_receive_count" {
  description = "Deliveries after which a task is a dead letter."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000 && floor(var.max_receive_count) == var.max_receive_count
    error_message = "The number of deliveries must be a whole number from 1 to 1000."
  }
}

variable "retention_days" {
  description = "How long a task waits for a worker. Dead letters and rejected tasks are kept for 14 days, the most that SQS has."
  type        = number
  default     = 7

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 14
    error_message = "Tasks can be kept for 1 to 14 days; batches are kept for 7."
  }
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}
