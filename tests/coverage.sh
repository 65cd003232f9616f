#!/bin/bash
# coverage.sh [ARGUMENT...]: measures which lines of src/ the tests run, and fails below MINIMUM percent
# (80). The arguments are those of `cargo test`; without any, all tests run.
#
# Only the crate itself is instrumented, through a wrapper around rustc: its dependencies are those of the
# ordinary build, and the tests are hardly slower. Programs that the tests start are measured, too, except
# those that they kill. The tools have to be of the LLVM that rustc was built with.
#
# The report by file is written to target/coverage/report.txt, that by line to target/coverage/html.
set -euo pipefail

MINIMUM=${MINIMUM:-80}
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
out=$target/coverage
cargo=${CARGO:-cargo}
major=$(rustc --version --verbose | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')

# find_tool NAME: the program NAME of LLVM $major.
find_tool() {
    local candidate version
    for candidate in "$(rustc --print target-libdir)/../bin/$1" "/usr/lib/llvm-$major/bin/$1" "$1-$major" "$1"; do
        if command -v "$candidate" >/dev/null; then
            version=$("$candidate" --version 2>/dev/null | sed -n 's/.*LLVM version \([0-9]*\).*/\1/p')
            [ "$version" != "$major" ] || { command -v "$candidate"; return; }
        fi
    done
    echo "$1 of LLVM $major is missing. Install it: rustup component add llvm-tools, or the package llvm-$major" >&2
    exit 1
}
cov=$(find_tool llvm-cov)
# `llvm-profdata --version` prints no version: it comes from the same place as llvm-cov.
profdata=${cov%llvm-cov*}llvm-profdata${cov##*llvm-cov}

rm -rf "$out"
mkdir -p "$out/raw"
# Processes of one program merge their counts into four files (%4m), because there are thousands of them.
export LLVM_PROFILE_FILE=$out/raw/%4m.profraw
export RUSTC_WORKSPACE_WRAPPER=$PWD/tests/coverage-rustc.sh

# Instrumented code is slower: with more tests at a time, waits would end at their limits.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$(getconf _NPROCESSORS_ONLN)}
# These tests hold a process to a bound on memory or time, which instrumented code exceeds.
skips=(--skip client::put_large --skip processors::limits::file_that_is_too_large)

[ $# -gt 0 ] || set -- --locked
mapfile -t objects < <("$cargo" test --locked --no-run --message-format json \
    | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | sort -u)
[ ${#objects[@]} -gt 0 ] || { echo 'the tests do not compile: see cargo test --no-run' >&2; exit 1; }
tests/run.sh "$@" -- "${skips[@]}"

"$profdata" merge --sparse --output "$out/merged.profdata" "$out"/raw/*.profraw
arguments=(--instr-profile "$out/merged.profdata" --ignore-filename-regex '/(registry|rustc|tests|benches|web)/')
for object in "${objects[@]}"; do arguments+=(--object "$object"); done
"$cov" report "${arguments[@]}" >"$out/report.txt"
"$cov" show "${arguments[@]}" --format html --output-dir "$out/html" >/dev/null
lines=$(awk '$1 == "TOTAL" { print $10 }' "$out/report.txt")
printf '\n%s of the lines of src/ were run; %s%% are required. See %s\n' "$lines" "$MINIMUM" "$out/report.txt"
awk -v covered="${lines%\%}" -v minimum="$MINIMUM" 'BEGIN { exit !(covered + 0 >= minimum) }'
