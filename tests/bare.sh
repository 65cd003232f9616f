#!/bin/sh
# `make test` in a bare Debian: nothing is there but build-essential, git, curl, ca-certificates and
# this machine's Rust toolchain. Whatever else the tests call, the Makefile has to install.
#
# It needs root, for chroot, and mmdebstrap. SUITE (bookworm) and MIRROR choose the Debian; without a
# MIRROR the sources of this machine's apt are used. What is checked is the working tree as git sees
# it, with the changes that are not committed yet. KEEP=1 leaves the folder for a look.
set -eu

SUITE=${SUITE:-bookworm}
MIRROR=${MIRROR:-}
TARGET=${TARGET:-test}
here=$(cd "$(dirname "$0")/.." && pwd)

[ "$(id -u)" = 0 ] || { echo 'chroot needs root: sudo make test-bare' >&2; exit 1; }

root=$(mktemp -d /var/tmp/bare-debian.XXXXXX)
clean() {
    for folder in proc sys dev/pts dev; do
        mountpoint -q "$root/$folder" && umount -l "$root/$folder"
    done
    [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$root"
}
trap clean EXIT INT TERM

echo "== a bare $SUITE in $root"
# shellcheck disable=SC2086 # no mirror is no argument
mmdebstrap --quiet --variant=minbase --skip=check/empty \
    --include=build-essential,git,curl,ca-certificates \
    "$SUITE" "$root" $MIRROR

# The toolchain, and what cargo has fetched already.
sysroot=$(rustc --print sysroot)
cargo_home=${CARGO_HOME:-$HOME/.cargo}
mkdir -p "$root/opt/rust" "$root/root/.cargo" "$root/src"
cp -a "$sysroot/." "$root/opt/rust/"
for part in registry config.toml; do
    [ ! -e "$cargo_home/$part" ] || cp -a "$cargo_home/$part" "$root/root/.cargo/"
done
# How this machine reaches the network: names, certificates, proxies, and the registries of pip and npm.
cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
cp -aL /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
cp -aL /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || true
for file in /etc/pip.conf "$HOME/.pip/pip.conf" "$HOME/.config/pip/pip.conf"; do
    [ ! -e "$file" ] || { mkdir -p "$root$(dirname "$file")" && cp -aL "$file" "$root$file"; }
done
[ ! -e "$HOME/.npmrc" ] || cp -aL "$HOME/.npmrc" "$root/root/.npmrc"

git -C "$here" ls-files -z --cached --others --exclude-standard \
    | (cd "$here" && xargs -0 ls -d 2>/dev/null | tr '\n' '\0') \
    | tar -C "$here" --null -T - -cf - | tar -C "$root/src" -xf -

mount -t proc proc "$root/proc"
mount --rbind --make-rslave /sys "$root/sys"
mount --rbind --make-rslave /dev "$root/dev"

echo "== make $TARGET in it"
# shellcheck disable=SC2046,SC2086 # names of variables and of targets are words
# Node has certificates of its own, and asks for those of the system in this way only.
env -i HOME=/root TERM="${TERM:-dumb}" NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    $(env | grep -iE '^(https?_proxy|no_proxy|all_proxy|ssl_cert_file|pip_[a-z_]*|cargo_(http|net|registries|source)_[a-z_]*)=' || true) \
    chroot "$root" make -C /src $TARGET
