#!/bin/bash
# Measures whether the time of a request grows with the history.
#
# Every kind of request is measured with empty tables, and again with a history of 300 days: 1.5 million
# uploads in all states, their events and audit rows, and a path with 100,000 earlier versions. The median
# with the history may be at most twice the median with empty tables.
#
# Everything runs on this machine: Postgres (durable), S3 (ministack), the release build of the broker.
# UPLOADS (1500000) and VERSIONS (100000) are the numbers of rows, TIMES (200) is the number of requests of
# each kind.
set -euo pipefail
cd "$(dirname "$0")/.."
uploads=${UPLOADS:-1500000} versions=${VERSIONS:-100000}

if [ "${1:-}" != inside ]; then
    cargo build --release --locked
    exec benches/with-postgres.sh "$0" inside
fi

. benches/common.sh

start_s3 AUTH=false
export BROKER_S3_BUCKET=bench RUST_LOG=warn
.venv/bin/python3 -c 'import boto3; boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="bench")'
"$broker" migrate >"$dir/migrate.log" 2>&1
port=$(free_port)
BROKER_BIND=127.0.0.1:$port BROKER_AUTH=off BROKER_JANITOR_PERIOD_SECONDS=86400 \
    "$broker" serve >"$dir/broker.log" 2>&1 &
until_up "http://127.0.0.1:$port/readyz" $!

measure() { .venv/bin/python3 benches/growth.py measure "$port" "${TIMES:-200}" >"$dir/$1"; }
measure empty
echo "Writing $uploads uploads, $versions of them at one path"
start=$SECONDS
psql=$PG_BIN/psql
[ -x "$psql" ] || psql=psql
"$psql" --quiet -v ON_ERROR_STOP=1 -v uploads="$uploads" -v versions="$versions" \
    -f benches/growth.sql "$DATABASE_URL" >"$dir/psql.log"
echo "… $((SECONDS - start)) s"
measure grown
echo
.venv/bin/python3 benches/growth.py compare "$dir/empty" "$dir/grown"
