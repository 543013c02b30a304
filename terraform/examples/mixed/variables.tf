variable "region" {
  description = "Region of the PHA's server at AWS."
  type        = string
  default     = "us-west-2"
}

variable "aws_account_id" {
  description = "Account of the PHA's server."
  type        = string
}

variable "cluster_name" {
  description = "Name of the EKS cluster of the PHA's server, which has the EKS Pod Identity agent."
  type        = string
  default     = "prio"
}

variable "project" {
  description = "Id of the project of the facilitator's server, and here also of the PHA's account at Google."
  type        = string
}

variable "google_region" {
  description = "Region of the facilitator's server at Google."
  type        = string
  default     = "us-west1"
}

variable "ingestor_account_id" {
  description = "Unique id of the ingestor's service account at Google."
  type        = string
}

variable "ingestor_account_email" {
  description = "E-mail address of the ingestor's service account at Google."
  type        = string
}
