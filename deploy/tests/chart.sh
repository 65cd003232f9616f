#!/bin/bash
# Starts the pods of the Helm chart with podman, from the manifests that Helm renders, and with the image that image.sh
# has built. It needs root. A cluster does more with the chart than podman: Services, probes, autoscaling.
set -euo pipefail

cd "$(dirname "$0")/../.."
# shellcheck source=deploy/tests/containers.sh
. deploy/tests/containers.sh
# shellcheck source=deploy/tests/stand-ins/build.sh
. deploy/tests/stand-ins/build.sh
exists localhost/upload-broker || { echo 'There is no image yet: sudo make deploy-test-image' >&2; exit 1; }
buildah tag localhost/upload-broker localhost/upload-broker:0.1.0
build_stand_in postgres

# The limits are not above those of this machine, which podman may not raise here.
printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=4096:4096"]\n' "$(ulimit -n)" "$(ulimit -Hn)" \
    > "$work/containers.conf"
# shellcheck disable=SC2016 # the inner shell expands it
CONTAINERS_CONF=$work/containers.conf UNSHARE=--net without_unified_cgroups sh -c 'ip link set lo up && exec "$@"' sh \
    .tools/deploy-aws/bin/python3 deploy/tests/chart.py
