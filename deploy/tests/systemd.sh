#!/bin/bash
# Starts the units of deploy/systemd with systemd, in a container that stands for a machine. It needs root, and the
# program that BROKER names. PACKAGE=FILE.deb installs that package instead.
set -euo pipefail

cd "$(dirname "$0")/../.."
: "${BROKER:?names the program upload-broker}"
# shellcheck source=deploy/tests/containers.sh
. deploy/tests/containers.sh

if ! exists localhost/systemd; then
    echo '== systemd: base, systemd and nginx'
    buildah from --quiet --name systemd localhost/base >/dev/null
    buildah run --isolation chroot systemd -- sh -c \
        'apt-get -qq update && apt-get -qq install --yes --no-install-recommends systemd dbus ca-certificates nginx-light poppler-data poppler-utils >/dev/null'
    commit systemd
fi

# The ports of the units may be in use on this machine.
# shellcheck disable=SC2016 # the inner shell expands it
BROKER=$BROKER UNSHARE=--net without_unified_cgroups sh -c 'ip link set lo up && exec "$@"' sh \
    benches/with-postgres.sh .tools/deploy-aws/bin/python3 deploy/tests/systemd.py
