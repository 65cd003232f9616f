#!/bin/bash
# Large datasets: how fast are 10,000 part URLs made, in how much memory, and how fast does
# `upload-broker put` send a file, next to the AWS CLI with its defaults?
#
# Everything runs on this machine: Postgres (durable), the release build of the broker, and as S3
# the embedded store of another one. MEBIBYTES (1024) is the size of the file, RUNS (3) how often
# each client sends it.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != inside ]; then
    cargo build --release --locked
    exec benches/with-postgres.sh "$0" inside
fi

. benches/common.sh

start_dev_s3
start_broker

echo
python3 benches/large.py broker $pid
head -c "${MEBIBYTES:-1024}M" /dev/urandom >"$dir/file"
python3 benches/large.py clients "$broker" .tools/awscli/bin/aws "$dir/file" "${RUNS:-3}"
