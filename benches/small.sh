#!/bin/bash
# Many small datasets: how fast does `upload-broker put` send a folder of 2,000 files of 4 KB, next
# to `aws s3 cp --recursive` with its defaults?
#
# Everything runs on this machine, as in large.sh. FILES (2000) and RUNS (3) may be set. What counts
# is the ratio of the two: the times themselves are those of the machine.
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
python3 benches/small.py "$broker" .tools/awscli/bin/aws "$dir" "${FILES:-2000}" "${RUNS:-3}"
