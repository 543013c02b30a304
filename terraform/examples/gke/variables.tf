variable "project" {
  description = "Id of the project of cluster, buckets and topics."
  type        = string
}

variable "region" {
  description = "Region of buckets and keys."
  type        = string
  default     = "us-west1"
}

variable "environment" {
  description = "Name of the deployment."
  type        = string
  default     = "prod"
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
