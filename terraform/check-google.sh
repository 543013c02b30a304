#!/usr/bin/env bash
# Checks the Google modules and the examples that have some, with whatever provider terraform finds: init, validate and
# test (with mocks, so that nothing is asked of Google) for each. Works on a copy, so that nothing is left here.
#   terraform/check-google.sh [DIRECTORY…]    default: all
set -euo pipefail
cd "$(dirname "$0")"
directories=("$@")
if [ ${#directories[@]} -eq 0 ]; then
  directories=(modules/google/buckets modules/google/task-queue modules/google/identity examples/gke examples/mixed)
fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R . "$copy"
failed=()

check() {
  cd "$copy/$1" || return
  terraform init -backend=false -input=false -no-color >"$copy/init.log" 2>&1 || { cat "$copy/init.log"; return 1; }
  terraform validate -no-color && terraform test -no-color
}

for directory in "${directories[@]}"; do
  echo "== $directory"
  (check "$directory") || failed+=("$directory")
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
echo "all is well"
