#!/bin/bash
# Measures the page in Chromium: its first load, long lists of files, large and small files, several tabs, and an
# upload beside Uppy. BENCHMARKS="besideUppy largeFile" runs only some (see tests/browser/bench/page.bench.ts).
#
# Everything runs on this machine: Chromium, the release build of the broker, its embedded Postgres and store.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked
cd tests/browser
node scripts/build.mjs
echo
TEST_BROKER_BINARY=$PWD/../../target/release/upload-broker \
    node --enable-source-maps --no-warnings build/page.bench.js ${BENCHMARKS:-}
