#!/bin/bash
# Compares the rate of `POST /uploads` with the rate at which Postgres alone inserts the same rows one by one,
# and measures the number of sessions per second in batches of 1,000.
#
# Everything runs on this machine, in one run: Postgres (durable), S3 (used only at the start, because the
# creation of a session writes a row and signs a URL), the release build of the broker, wrk and pgbench.
# SECONDS_EACH (10) is the length of each measurement.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-10}

if [ "${1:-}" != inside ]; then
    cargo build --release --locked
    exec benches/with-postgres.sh "$0" inside
fi

. benches/common.sh
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# Start S3 and create the bucket.
start_s3 AUTH=true
.venv/bin/python3 -c 'import boto3; boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="bench")'

# Start the broker.
port=$(free_port)
export BROKER_BIND=127.0.0.1:$port BROKER_S3_BUCKET=bench RUST_LOG=${RUST_LOG:-warn}
"$broker" migrate >"$dir/migrate.log" 2>&1
KEY=$("$broker" keys create --tenant default --scopes uploads:write --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])')
export KEY
start=$(now_ms)
"$broker" serve >"$dir/serve.log" 2>&1 &
pid=$!
until_up "http://127.0.0.1:$port/readyz" $pid
ready=$(($(now_ms) - start))

# Measure Postgres alone, then the broker.
pgbench=$PG_BIN/pgbench
[ -x "$pgbench" ] || pgbench=pgbench
tps=$("$pgbench" -n -c 16 -j 2 -M prepared -T "$seconds" -f benches/insert.sql "$DATABASE_URL" |
    tee "$dir/pgbench.log" | sed -n 's/^tps = \([0-9]*\).*/\1/p')
wrk -t 2 -c 64 -d "${seconds}s" --latency -s benches/create.lua "http://127.0.0.1:$port" >"$dir/wrk.log"
read -r _ rate p99 errors < <(grep '^RESULT' "$dir/wrk.log")
peak_memory() { awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$pid/status"; }
rss=$(peak_memory)
wrk -t 2 -c 4 -d "${seconds}s" -s benches/batch.lua "http://127.0.0.1:$port" >"$dir/batch.log"
read -r _ sessions refused < <(grep '^RESULT' "$dir/batch.log")
batch_rss=$(peak_memory)

ratio=$(awk -v a="$rate" -v b="$tps" 'BEGIN { printf "%.2f", a / b }')
echo
line "pgbench inserts/s (16 clients)" "$tps" "" "f > 0"
line "POST /uploads/s (64 connections)" "$rate" "" "f > 0"
line "ratio" "$ratio" "at least 1.00" "f >= 1"
line "p99 (ms)" "$p99" "under 30" "f < 30"
line "sessions/s of POST /uploads/batch" "$sessions" "at least 30000" "f >= 30000"
line "responses other than 2xx" "$((errors + refused))" "none" "f == 0"
line "peak resident memory (MiB)" "$rss" "under 64" "f < 64"
line "the same after the batches (MiB)" "$batch_rss" "under 128" "f < 128"
line "serve ready after (ms)" "$ready" "within 300" "f <= 300"
