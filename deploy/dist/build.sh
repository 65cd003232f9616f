#!/bin/sh
# Builds everything of a release into target/dist: for each target an archive, a Debian and an RPM package; the bills
# of materials; and the SHA-256 of each file. `make dist` installs what this needs.
#
# A target that cannot be built is named at the end, and fails the run after the others have been built.
set -eu

cd "$(dirname "$0")/../.."
export PATH="$PWD/.tools/dist/bin:$PWD/.tools/zig/bin:$PWD/.tools/node/bin:$PATH"
# The oldest glibc that the binaries run with: that of Debian 10, Ubuntu 20.04, RHEL 8 and Amazon Linux 2023.
GLIBC=2.28
TARGETS=${TARGETS:-x86_64-unknown-linux-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-gnu}

version=$(cargo pkgid --locked | sed 's/.*[@#]//')
# Archives have the time of the commit, so that the same commit makes the same bytes.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
dist=$PWD/target/dist
# What is the same for all targets. The packages take it from here.
common=$PWD/target/dist-common
rm -rf "$dist" "$common"
mkdir -p "$dist" "$common/completions"

# build TARGET: compiles the binary, with the list of its crates in a section of its own (cargo-auditable).
build() {
    rustup target add "$1" >/dev/null 2>&1 || return 1
    case $1 in
        *-gnu) set -- "$1.$GLIBC" ;;
    esac
    cargo auditable zigbuild --release --locked --no-default-features --bin upload-broker --target "$1"
}

# archive TARGET: packs the binary with what belongs to it.
archive() {
    name=upload-broker-$version-$1
    folder=$common/$name
    mkdir "$folder"
    cp "target/$1/release/upload-broker" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$folder"
    cp -R "$common/man" "$common/completions" "$common"/THIRD-PARTY*.txt deploy/systemd "$folder"
    tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        -C "$common" -cf - "$name" | gzip -9n > "$dist/$name.tar.gz"
    rm -r "$folder"
}

# package TARGET: makes the Debian and the RPM package. The metadata is in Cargo.toml.
package() {
    cargo deb --no-build --no-strip --target "$1" --output "$dist/"
    cargo generate-rpm --target "$1" --auto-req disabled --source-date "$SOURCE_DATE_EPOCH" --output "$dist/"
}

# The licence texts of what is in the binary: of crates, and of the packages in the web page.
cargo fetch --locked --quiet
cargo about generate --locked --offline --fail --no-default-features --config deploy/licences/about.toml \
    --output-file "$common/THIRD-PARTY.txt" deploy/licences/texts.hbs
deploy/licences/page.sh > "$common/THIRD-PARTY-PAGE.txt"

failed=
for target in $TARGETS; do
    echo "== $target"
    build "$target" || { failed="$failed $target"; continue; }
    # Man pages and completions come from a binary that this machine can run.
    if [ ! -d "$common/man" ] && "target/$target/release/upload-broker" man "$common/man"; then
        for shell in bash zsh fish elvish powershell; do
            "target/$target/release/upload-broker" completions $shell > "$common/completions/upload-broker.$shell"
        done
    fi
    archive "$target"
    # Packages are for systems with glibc, whose allocator is faster under many threads than that of musl.
    case $target in *-gnu) package "$target" ;; esac
done

cargo cyclonedx --format json --spec-version 1.5 --no-default-features --target x86_64-unknown-linux-gnu \
    --override-filename upload-broker --quiet
mv upload-broker.json "$dist/upload-broker-$version.cdx.json"
npm --prefix web/page sbom --package-lock-only --sbom-format cyclonedx --omit dev > "$dist/upload-broker-page-$version.cdx.json"

(cd "$dist" && sha256sum -- * > SHA256SUMS && ls -lh)
[ -z "$failed" ] || { echo "== not built:$failed" >&2; exit 1; }
