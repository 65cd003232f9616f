# Read after containers.sh: builds images that take the places of those of a registry.
# shellcheck shell=bash

# build_stand_in NAME: the target NAME of Dockerfile, as localhost/NAME.
build_stand_in() {
    echo "== $1"
    mkdir -p "$work/binaries"
    cp --dereference --update .tools/stores/bin/weed "$work/binaries/weed"
    buildah bud --isolation chroot --network host --format docker --layers --quiet --target "$1" \
        --build-context "binaries=$work/binaries" --tag "localhost/$1" \
        --file deploy/tests/stand-ins/Dockerfile deploy/tests/stand-ins >/dev/null
}
