#!/bin/bash
# Measures small datasets: the time in which `upload-broker put` sends a folder of 2,000 files of 4 KB, compared
# with `aws s3 cp --recursive` with its default settings.
#
# Everything runs on this machine, as in large.sh. FILES (2000) and RUNS (3) can be set. The target is the ratio
# of the two times, because the times themselves depend on the machine.
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
