#!/bin/bash
# Measures what the first quota of a tenant with a long history costs others.
#
# The tenant `default` has 300,000 uploads when it gets its first quota, for which they are counted. Meanwhile
# eight callers of another tenant create uploads, send them and acknowledge them, as before. None of their
# requests may fail, or take longer than a second. The caller of the tenant itself may wait, but not fail.
#
# Everything runs on this machine: Postgres (durable), S3 (ministack), the release build of the broker.
# UPLOADS (300000) is the number of rows.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != inside ]; then
    cargo build --release --locked
    exec benches/with-postgres.sh "$0" inside
fi

. benches/common.sh

start_s3 AUTH=false
export BROKER_S3_BUCKET=bench RUST_LOG=warn
.venv/bin/python3 -c 'import boto3; boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="bench")'
"$broker" migrate >"$dir/migrate.log" 2>&1
psql=$PG_BIN/psql
[ -x "$psql" ] || psql=psql
"$psql" --quiet -v ON_ERROR_STOP=1 -v uploads="${UPLOADS:-300000}" -v versions=1000 \
    -f benches/growth.sql "$DATABASE_URL" >"$dir/psql.log"
"$broker" tenants create other --prefix other/ >"$dir/tenants.log"
make_key() {
    "$broker" keys create --tenant "$1" --scopes uploads:write --json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])'
}
other=$(make_key other) own=$(make_key default)
port=$(free_port)
BROKER_BIND=127.0.0.1:$port BROKER_JANITOR_PERIOD_SECONDS=86400 "$broker" serve >"$dir/broker.log" 2>&1 &
until_up "http://127.0.0.1:$port/readyz" $!

.venv/bin/python3 benches/quota.py "$port" "$other" "$own" \
    "$broker" tenants set default --quota-bytes 1000000000000000 >"$dir/figures"
while read -r name figure; do
    case $name in
    seconds) printf '%-34s %10s\n' 'setting the quota, s' "$figure" ;;
    requests) printf '%-34s %10s\n' 'requests of others meanwhile' "$figure" ;;
    median) printf '%-34s %10s\n' 'median of others, ms' "$figure" ;;
    slowest) line 'slowest of others, ms' "$figure" '(at most 1000)' 'f <= 1000' ;;
    failed) line 'failed requests' "$figure" '(none)' 'f == 0' ;;
    own) printf '%-34s %10s\n' 'slowest of the tenant itself, ms' "$figure" ;;
    esac
done <"$dir/figures"
