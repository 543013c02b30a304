variable "region" {
  description = "Region of cluster, buckets and queues."
  type        = string
  default     = "eu-west-1"
}

variable "environment" {
  description = "Name of the deployment."
  type        = string
  default     = "prod"
}

variable "cluster_name" {
  description = "Name of the EKS cluster, which has the EKS Pod Identity agent."
  type        = string
  default     = "prio"
}

variable "google_service_account_email" {
  description = "Our service account at Google: manifests need one, though nobody here is at Google but an ingestor."
  type        = string
}

variable "batch_signing_public_keys" {
  description = "By instance and identifier: public keys, and when they expire."
  type        = map(map(object({ public_key = string, expiration = string })))
  default     = {}
}

variable "packet_encryption_csrs" {
  description = "By locality and identifier: certificate signing requests."
  type        = map(map(string))
  default     = {}
}
