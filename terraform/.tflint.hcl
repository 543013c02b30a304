tflint {
  required_version = ">= 0.60"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}

# Files are named after what they say; inputs and outputs have their usual places.
rule "terraform_standard_module_structure" {
  enabled = false
}
