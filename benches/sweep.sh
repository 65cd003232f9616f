#!/bin/bash
# Measures the time and memory in which the janitor compares 100,000 objects with 100,000 rows.
#
# Everything runs on this machine: Postgres (durable), S3 (ministack, with all objects in memory), the release
# build of the broker. OBJECTS (100000) is the number of objects. A few of them differ from their rows, and the
# benchmark checks that they are found.
set -euo pipefail
cd "$(dirname "$0")/.."
objects=${OBJECTS:-100000}

if [ "${1:-}" != inside ]; then
    cargo build --release --locked
    exec benches/with-postgres.sh "$0" inside
fi

. benches/common.sh

# Signatures are not verified, so that the objects are written faster.
start_s3 AUTH=false
export BROKER_S3_BUCKET=bench RUST_LOG=warn

"$broker" migrate >"$dir/migrate.log" 2>&1
echo "Writing $objects objects and as many rows"
start=$SECONDS
.venv/bin/python3 benches/sweep.py write "$s3_port" "$objects"
psql=$PG_BIN/psql
[ -x "$psql" ] || psql=psql
"$psql" --quiet -v ON_ERROR_STOP=1 -v objects="$objects" -f benches/sweep.sql "$DATABASE_URL"
echo "… $((SECONDS - start)) s"

.venv/bin/python3 benches/sweep.py measure "$broker" "$dir"
