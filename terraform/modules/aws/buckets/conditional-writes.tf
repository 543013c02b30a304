# Markers, claims and copies of sum parts are created once and never replaced; leases are created, or replaced if they
# have not changed. Our programs do so by conditional writes, and whoever else may write cannot do otherwise. Prefixes:
# common/domain/marker.ts and facilitator/publish-sum-part.ts. A key counts as absent ("Null") where the request has no
# such header; parts of multipart uploads have none, but their completion has.
locals {
  # Claims end with the times of their window, which no lease does, whatever its aggregation is called.
  created_once = [
    local.markers,
    "${local.own_objects}task-claims/aggregate-*-????-??-??-??-??-????-??-??-??-??",
    "${local.own_objects}sum-parts/*",
  ]

  conditional_writes = [
    {
      Sid       = "CreatedOnce"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = local.created_once
      Condition = {
        Null = { "s3:if-none-match" = "true" }
        Bool = { "s3:ObjectCreationOperation" = "true" }
      }
    },
    {
      Sid       = "ReplacedIfUnchanged"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = local.claims
      Condition = {
        Null = { "s3:if-none-match" = "true", "s3:if-match" = "true" }
        Bool = { "s3:ObjectCreationOperation" = "true" }
      }
    },
  ]
}
