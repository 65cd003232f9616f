#!/bin/bash
# How long does the janitor take to compare 100,000 objects with 100,000 rows, and in how much
# memory?
#
# Everything runs on this machine: Postgres (durable), S3 (ministack, every object in memory), the
# release build of the broker. OBJECTS (100000) is how many; a few of them differ, so that the run
# shows that it finds them.
set -euo pipefail
cd "$(dirname "$0")/.."
objects=${OBJECTS:-100000}

if [ "${1:-}" != inside ]; then
    cargo build --release --locked
    exec benches/with-postgres.sh "$0" inside
fi

broker=target/release/upload-broker
dir=$(mktemp -d)
finish() {
    status=$?
    [ "$status" = 0 ] || tail -n 20 "$dir"/*.log >&2
    kill $(jobs -p) 2>/dev/null || true
    wait
    rm -rf "$dir"
}
trap finish EXIT

# S3, without checks of signatures: the objects are there sooner.
s3_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
BIND_HOST=127.0.0.1 GATEWAY_PORT=$s3_port SERVICES=s3 TMPDIR=$dir \
    .venv/bin/ministack >"$dir/s3.log" 2>&1 &
until curl --fail --silent --output /dev/null "http://127.0.0.1:$s3_port/_ministack/ready"; do
    kill -0 $! 2>/dev/null || { echo "ministack ended before it answered" >&2; exit 1; }
done
export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
export AWS_ENDPOINT_URL_S3=http://127.0.0.1:$s3_port
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
