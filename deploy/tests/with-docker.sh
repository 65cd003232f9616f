#!/bin/bash
# with-docker.sh FOLDER COMMAND…: runs a command with a Docker that has the images FOLDER/*.tar and nothing else. It is
# called in namespaces for mounts and the network. What Docker keeps in FOLDER is deleted afterwards.
set -euo pipefail

folder=$1
shift
ip link set lo up
# The paths of sockets have a limited length.
short=$(mktemp -d)
export DOCKER_HOST=unix://$short/docker.sock
dockerd --data-root "$folder/data" --exec-root "$short/exec" --pidfile "$short/pid" --host "$DOCKER_HOST" \
    >"$folder/dockerd.log" 2>&1 &
daemon=$!
finish() {
    kill "$daemon" 2>/dev/null && wait "$daemon" || true
    rm -rf "$short" "$folder/data"
}
trap finish EXIT

for _ in $(seq 120); do
    docker version >/dev/null 2>&1 && break
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.5
done
docker version >/dev/null || { tail -n 20 "$folder/dockerd.log" >&2; exit 1; }
for archive in "$folder"/*.tar; do
    docker load --quiet --input "$archive"
done
"$@"
