# The roles of our programs, which their pods have by themselves.
locals {
  is_irsa = var.cluster.identity == "irsa"
  issuer  = local.is_irsa ? split("oidc-provider/", var.cluster.oidc_provider_arn)[1] : ""

  trust = {
    for program, account in var.service_accounts : program => {
      Version = "2012-10-17"
      Statement = [local.is_irsa ? {
        Effect    = "Allow"
        Principal = { Federated = var.cluster.oidc_provider_arn }
        Action    = ["sts:AssumeRoleWithWebIdentity"]
        Condition = {
          StringEquals = {
            "${local.issuer}:sub" = "system:serviceaccount:${var.namespace}:${account}"
            "${local.issuer}:aud" = "sts.amazonaws.com"
          }
        }
        } : {
        Effect    = "Allow"
        Principal = { Service = "pods.eks.amazonaws.com" }
        Action    = ["sts:AssumeRole", "sts:TagSession"]
        Condition = {
          StringEquals = {
            "aws:RequestTag/kubernetes-namespace"       = var.namespace
            "aws:RequestTag/kubernetes-service-account" = account
          }
        }
      }]
    }
  }
}

resource "aws_iam_role" "programs" {
  for_each = var.service_accounts

  name               = "${var.name}-${each.key}"
  description        = "${each.key} in ${var.namespace}"
  assume_role_policy = jsonencode(local.trust[each.key])
  tags               = var.tags
}

resource "aws_iam_role_policy" "programs" {
  for_each = var.service_accounts

  name   = "data-share-processor"
  role   = aws_iam_role.programs[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.permissions[each.key] })
}

resource "aws_eks_pod_identity_association" "programs" {
  for_each = local.is_irsa ? {} : var.service_accounts

  cluster_name    = var.cluster.name
  namespace       = var.namespace
  service_account = each.value
  role_arn        = aws_iam_role.programs[each.key].arn
  tags            = var.tags
}
