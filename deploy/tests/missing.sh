#!/bin/sh
# Prints what `make deploy-test` needs and no registry of packages has, as far as it is missing here, and fails then.
set -eu

cd "$(dirname "$0")/../.."
missing=
add() { missing="$missing${missing:+; }$1"; }

[ "$(id -u)" = 0 ] || add 'root'
command -v terraform >/dev/null || add 'terraform'
[ -n "${TERRAFORM_PLUGINS:-}" ] || curl --silent --fail --max-time 5 --output /dev/null \
    https://registry.terraform.io/.well-known/terraform.json || add 'the AWS provider of Terraform (TERRAFORM_PLUGINS)'
last=$(git log -1 --format=%H -- migrations 2>/dev/null) && [ -n "$last" ] \
    && git rev-parse --verify --quiet "$last^" >/dev/null || add 'the commit before the last migration'

[ -z "$missing" ] || { echo "$missing"; exit 1; }
