# Read by image.sh, compose.sh, chart.sh and systemd.sh: images and containers that are apart from those of the machine, in target/image,
# and a bare Debian to build on.
# shellcheck shell=bash

SUITE=bookworm
MIRROR=${MIRROR:-}
work=$PWD/target/image

[ "$(id -u)" = 0 ] || { echo 'mmdebstrap and buildah need root: sudo make deploy-test-image' >&2; exit 1; }

mkdir -p "$work"
# Each unmounts everything at its end.
exec 9>"$work/lock"
flock --nonblock 9 || { echo 'Another test uses target/image: wait for its end' >&2; exit 1; }
# Not every kernel has overlay.
driver=${STORAGE_DRIVER:-overlay}
cat > "$work/storage.conf" <<END_OF_CONF
[storage]
driver = "$driver"
graphroot = "$work/storage"
runroot = "$work/run"
END_OF_CONF
export CONTAINERS_STORAGE_CONF=$work/storage.conf
unset STORAGE_DRIVER
# Otherwise target/image could not be removed.
unmount() {
    buildah umount --all >/dev/null 2>&1 || true
    umount --recursive --quiet "$work/storage/$driver" 2>/dev/null || true
}
trap unmount EXIT

exists() { buildah inspect --type image "$1" >/dev/null 2>&1; }

# commit CONTAINER: an image of the same name.
commit() {
    buildah umount "$1" >/dev/null
    buildah commit --quiet --rm "$1" "localhost/$1" >/dev/null
}

# without_unified_cgroups COMMAND…: crun and runc refuse to start where control groups of both versions are mounted,
# as containers in a container have them. UNSHARE names further namespaces.
without_unified_cgroups() {
    # shellcheck disable=SC2016,SC2086 # the inner shell expands it
    unshare --mount ${UNSHARE:-} --propagation private sh -c \
        'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"' sh "$@"
}

if ! exists localhost/base; then
    echo "== base: a bare $SUITE"
    # shellcheck disable=SC2086 # no mirror is no argument
    [ -e "$work/base.tar" ] || { mmdebstrap --quiet --variant=minbase --skip=check/empty "$SUITE" "$work/new.tar" $MIRROR \
        && mv "$work/new.tar" "$work/base.tar"; }
    buildah from --quiet --name base scratch >/dev/null
    tar -C "$(buildah mount base)" -xpf "$work/base.tar"
    buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd bash base
    commit base
fi
