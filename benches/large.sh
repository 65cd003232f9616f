#!/bin/bash
# Measures large datasets: the time and memory for 10,000 part URLs, and the rate at which `upload-broker put`
# sends a file, compared with the AWS CLI with its default settings.
#
# Everything runs on this machine: Postgres (durable), the release build of the broker, and the embedded store
# of another broker as S3. MEBIBYTES (1024) is the size of the file, RUNS (3) the number of uploads by each
# client.
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
