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

# The embedded store, of a broker that nobody else asks anything.
s3_port=$(free_port) other=$(free_port)
env -u DATABASE_URL BROKER_BIND=127.0.0.1:"$other" BROKER_DEV_S3_BIND=127.0.0.1:"$s3_port" \
    BROKER_DEV_DIR="$dir/dev" RUST_LOG=warn "$broker" dev >"$dir/s3.log" 2>&1 &
until_up "http://127.0.0.1:$other/readyz" $!
export AWS_REGION=us-east-1 AWS_ENDPOINT_URL_S3=http://127.0.0.1:$s3_port
export AWS_ACCESS_KEY_ID=upload-broker-dev AWS_SECRET_ACCESS_KEY=upload-broker-dev-secret

# The broker.
port=$(free_port)
export BROKER_BIND=127.0.0.1:$port BROKER_S3_BUCKET=datasets RUST_LOG=warn
"$broker" migrate >"$dir/migrate.log" 2>&1
KEY=$("$broker" keys create --tenant default --scopes uploads:write,uploads:read,datasets:read --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])')
export KEY BROKER=http://127.0.0.1:$port
export UPLOAD_BROKER_URL=$BROKER UPLOAD_BROKER_KEY=$KEY XDG_STATE_HOME=$dir/state
"$broker" serve >"$dir/serve.log" 2>&1 &
pid=$!
until_up "$BROKER/readyz" $pid

echo
python3 benches/large.py broker $pid
head -c "${MEBIBYTES:-1024}M" /dev/urandom >"$dir/file"
python3 benches/large.py clients "$broker" .tools/awscli/bin/aws "$dir/file" "${RUNS:-3}"
