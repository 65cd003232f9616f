#!/bin/sh
# Replaces brokers under load: with themselves, and with the program of the commit before the last migration, which
# is built in target/previous for that.
set -eu

cd "$(dirname "$0")/../.."
: "${BROKER:?names the program upload-broker}"

# A shallow clone does not have that commit.
last=$(git log -1 --format=%H -- migrations)
previous=$(git rev-parse --verify --quiet "$last^") || {
    echo 'The commit before the last migration is not here: run git fetch --unshallow' >&2
    exit 1
}
target=$PWD/target/previous
source=$target/source
if [ "$(git -C "$source" rev-parse HEAD 2>/dev/null)" != "$previous" ]; then
    git worktree remove --force "$source" 2>/dev/null || rm -rf "$source"
    git worktree prune
    mkdir -p "$target"
    git worktree add --quiet --detach "$source" "$previous"
fi
CARGO_TARGET_DIR=$target "${CARGO:-cargo}" build --locked --manifest-path "$source/Cargo.toml"
PREVIOUS=$target/debug/upload-broker benches/with-postgres.sh \
    .tools/deploy-aws/bin/python3 deploy/tests/replicas.py
