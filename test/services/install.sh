#!/usr/bin/env bash
# Installs the stand-ins for cloud services that the tests use, into a cache outside the checkout: what is there
# already is kept. Needs Go, Python 3 and, for Debian's packages, apt-get as root; what cannot be had is named, and
# its tests are skipped (under CI=true they fail). The Pub/Sub emulator comes with the Google Cloud SDK, and needs Java.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools=${DSP_TEST_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/data-share-processor/tools}
mkdir -p "$tools/bin"
tools=$(cd "$tools" && pwd)
missing=0

# install NAME VERSION COMMAND…: runs the command unless that version is there; it must leave an executable $tools/bin/NAME.
install() {
  local name=$1 version=$2
  shift 2
  if [ -x "$tools/bin/$name" ] && [ "$(cat "$tools/$name.version" 2>/dev/null)" = "$version" ]; then return; fi
  echo "installing $name $version"
  if "$@" >"$tools/$name.log" 2>&1; then
    echo "$version" >"$tools/$name.version"
  else
    echo "could not install $name $version, see $tools/$name.log"
    missing=$((missing + 1))
  fi
}

go_program() { GOBIN="$tools/bin" go install "$1"; }

# The programs of a Debian package, without its daemon, users and configuration.
debian_program() {
  local name=$1 package=$2 folder
  folder=$(mktemp -d)
  (cd "$folder" && { apt-get download "$package" || { apt-get update && apt-get download "$package"; }; } &&
    dpkg -x ./*.deb . && cp "usr/bin/$name" "$tools/bin/$name")
  local status=$?
  rm -rf "$folder"
  return $status
}

moto_server() {
  rm -rf "$tools/moto"
  python3 -m venv "$tools/moto" && "$tools/moto/bin/pip" install --quiet "moto[server]==$1" &&
    ln -sf "$tools/moto/bin/moto_server" "$tools/bin/moto_server"
}

localstack() {
  rm -rf "$tools/localstack"
  python3 -m venv "$tools/localstack" &&
    "$tools/localstack/bin/pip" install --quiet --no-deps -r "$here/localstack/requirements.txt" &&
    printf '#!/bin/sh\nexec "%s" -m localstack.runtime.main\n' "$tools/localstack/bin/python" >"$tools/bin/localstack" &&
    chmod +x "$tools/bin/localstack"
}

# Modules of the Kubernetes repository that have a version of their own elsewhere.
staging='api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap
code-generator component-base component-helpers controller-manager cri-api cri-client csi-translation-lib
dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy
kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver sample-cli-plugin
sample-controller'
kubernetes_program() {
  local name=$1 version=$2 folder status
  folder=$(mktemp -d)
  printf '//go:build tools\n\npackage tools\n\nimport _ "k8s.io/kubernetes/cmd/%s"\n' "$name" >"$folder/tools.go"
  {
    printf 'module kubebuild\n\ngo 1.24.0\n\ngodebug default=go1.24\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$version"
    for module in $staging; do printf '\tk8s.io/%s => k8s.io/%s v0.%s\n' "$module" "$module" "${version#1.}"; done
    printf ')\n'
  } >"$folder/go.mod"
  (cd "$folder" && go mod tidy && CGO_ENABLED=0 GOFLAGS='-mod=mod -p=2' go build -o "$tools/bin/$name" \
    -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=33" \
    "k8s.io/kubernetes/cmd/$name")
  status=$?
  rm -rf "$folder"
  return $status
}

# Custom resources that deploy/ uses, from the archives of the modules that define them. A directory, not a program.
kubernetes_crds() {
  local to=$tools/bin/kubernetes-crds source
  rm -rf "$to"
  mkdir "$to" || return
  while read -r module files; do
    source=$(cd / && go mod download -json "$module" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p') || return
    for file in $files; do install_crd "$source/$file" "$to" || return; done
  done <<END
github.com/kedacore/keda/v2@v2.21.0 config/crd/bases/keda.sh_scaledobjects.yaml config/crd/bases/keda.sh_triggerauthentications.yaml
github.com/external-secrets/external-secrets@v1.3.2 config/crds/bases/external-secrets.io_externalsecrets.yaml
github.com/prometheus-operator/prometheus-operator@v0.85.0 example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml
END
}
# Files of the module cache are read-only, and would be so in ours.
install_crd() { cp "$1" "$2/" && chmod u+w "$2/$(basename "$1")"; }

# Our own, in the place of a provider that registries of programs do not have.
google_stand_in() { (cd "$here/../terraform/google-stand-in" && go build -o "$tools/bin/terraform-provider-google" .); }

install fake-gcs-server 1.56.1 go_program github.com/fsouza/fake-gcs-server@v1.56.1
install versitygw 1.8.0 go_program github.com/versity/versitygw/cmd/versitygw@v1.8.0
install moto_server 5.2.5 moto_server 5.2.5
install localstack 4.12.0 localstack
install etcd debian debian_program etcd etcd-server
install prometheus-pushgateway debian debian_program prometheus-pushgateway prometheus-pushgateway
install promtool debian debian_program promtool prometheus
install kube-apiserver 1.33.13 kubernetes_program kube-apiserver 1.33.13
install kube-controller-manager 1.33.13 kubernetes_program kube-controller-manager 1.33.13
install kubectl 1.33.13 kubernetes_program kubectl 1.33.13
install kubernetes-crds keda-2.21.0-external-secrets-1.3.2-prometheus-operator-0.85.0 kubernetes_crds
install tflint 0.64.0 go_program github.com/terraform-linters/tflint@v0.64.0
install terraform-provider-google stand-in-1 google_stand_in
[ "$missing" -eq 0 ]
