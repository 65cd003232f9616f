#!/bin/bash
# Starts deploy/docker/compose.yaml, and the bundle for Elastic Beanstalk, with Docker: a Docker of its own, in a
# network of its own, with the image that image.sh has built. Images of Debian's packages take the places of Postgres,
# nginx and SeaweedFS, so that no registry of images is needed (stand-ins/Dockerfile). It needs root.
set -euo pipefail

cd "$(dirname "$0")/../.."
# shellcheck source=deploy/tests/containers.sh
. deploy/tests/containers.sh
# shellcheck source=deploy/tests/stand-ins/build.sh
. deploy/tests/stand-ins/build.sh
exists localhost/upload-broker || { echo 'There is no image yet: sudo make deploy-test-image' >&2; exit 1; }

# The names in deploy/docker and deploy/beanstalk.
declare -A names=(
    [localhost/upload-broker]=upload-broker:0.1.0
    [localhost/postgres]=docker.io/library/postgres:17-bookworm
    [localhost/nginx]=docker.io/nginxinc/nginx-unprivileged:1.28-alpine
    [localhost/store]=docker.io/chrislusf/seaweedfs:4.48
)
for name in "${names[@]}"; do
    grep -rqF "$name" deploy/docker/compose.yaml deploy/docker/compose.store.yaml || {
        echo "deploy/docker uses no image $name any more: change names in $0" >&2
        exit 1
    }
done

mkdir -p "$work/docker"
for stand_in in postgres nginx store; do
    build_stand_in "$stand_in"
done
rm -f "$work"/docker/*.tar
for image in "${!names[@]}"; do
    buildah push --quiet "$image" "docker-archive:$work/docker/${image##*/}.tar:${names[$image]}" >/dev/null
done

echo '== Docker'
UNSHARE=--net without_unified_cgroups deploy/tests/with-docker.sh "$work/docker" \
    .tools/deploy-aws/bin/python3 deploy/tests/compose.py
