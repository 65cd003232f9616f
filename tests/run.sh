#!/bin/bash
# run.sh [ARGUMENT...]: runs `cargo test ARGUMENT...`, and prints the ten slowest tests at the end.
#
# libtest measures the time of each test itself, but the option for it, `--report-time`, is unstable.
# The variable RUSTC_BOOTSTRAP allows it on a stable toolchain. cargo would rebuild everything if it saw
# that variable, so only the test binaries get it: cargo starts them through this script, as a runner.
#
# The exit code is that of `cargo test`.
set -euo pipefail

# The runner: cargo calls `run.sh BINARY ARGUMENT...` with TEST_OUTPUT set.
if [ -n "${TEST_OUTPUT:-}" ]; then
    output=$TEST_OUTPUT
    unset TEST_OUTPUT
    RUSTC_BOOTSTRAP=1 "$@" -Z unstable-options --report-time | tee -a "$output"
    exit
fi

script=$(realpath "$0")
TEST_OUTPUT=$(mktemp)
export TEST_OUTPUT
# The tests wait for processes half of the time: with two threads on two cores, these idle.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$(($(getconf _NPROCESSORS_ONLN) * 2))}
trap 'rm -f "$TEST_OUTPUT"' EXIT

code=0
"${CARGO:-cargo}" test --config "target.'cfg(all())'.runner = ['$script']" "$@" || code=$?

# The lines look like `test a::b ... ok <1.234s>`.
slowest=$(sed -n 's/^test \(.*\) \.\.\. .*<\([0-9.]*\)s>$/\2 \1/p' "$TEST_OUTPUT" | sort -rn | awk 'NR <= 10')
if [ -n "$slowest" ]; then
    printf '\nThe ten slowest tests:\n'
    awk '{ seconds = $1; sub(/^[^ ]* /, ""); printf "%9.1f s  %s\n", seconds, $0 }' <<<"$slowest"
fi
exit "$code"
