# Functions that the benchmarks share. A benchmark sources this file while it runs under with-postgres.sh.
#
# It sets `broker` (the release build) and `dir` (a temporary folder; its logs are printed if the benchmark
# fails). The functions set the AWS settings of the S3 server that they start.

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

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# until_up URL PID: polls without a pause until the URL responds; fails if the process ends first.
until_up() {
    until curl --fail --silent --output /dev/null "$1"; do
        kill -0 "$2" 2>/dev/null || { echo "the process ended before $1 responded" >&2; return 1; }
    done
}

# start_s3 NAME=VALUE…: starts ministack with these settings in addition to the default ones.
start_s3() {
    s3_port=$(free_port)
    env "$@" BIND_HOST=127.0.0.1 GATEWAY_PORT="$s3_port" SERVICES=s3 TMPDIR="$dir" \
        .venv/bin/ministack >"$dir/s3.log" 2>&1 &
    until_up "http://127.0.0.1:$s3_port/_ministack/ready" $!
    export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
    export AWS_ENDPOINT_URL_S3=http://127.0.0.1:$s3_port
}

# start_dev_s3: starts a broker only for its embedded store.
start_dev_s3() {
    local s3_port other
    s3_port=$(free_port) other=$(free_port)
    env -u DATABASE_URL BROKER_BIND=127.0.0.1:"$other" BROKER_DEV_S3_BIND=127.0.0.1:"$s3_port" \
        BROKER_DEV_DIR="$dir/dev" RUST_LOG=warn "$broker" dev >"$dir/s3.log" 2>&1 &
    until_up "http://127.0.0.1:$other/readyz" $!
    export AWS_REGION=us-east-1 AWS_ENDPOINT_URL_S3=http://127.0.0.1:$s3_port
    export AWS_ACCESS_KEY_ID=upload-broker-dev AWS_SECRET_ACCESS_KEY=upload-broker-dev-secret
}

# start_broker: starts a broker with that store, and sets `pid`, KEY, BROKER and the settings of the client.
start_broker() {
    local port
    port=$(free_port)
    export BROKER_BIND=127.0.0.1:$port BROKER_S3_BUCKET=datasets RUST_LOG=warn
    "$broker" migrate >"$dir/migrate.log" 2>&1
    KEY=$("$broker" keys create --tenant default --json \
        --scopes uploads:write,uploads:read,datasets:read |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])')
    export KEY BROKER=http://127.0.0.1:$port
    export UPLOAD_BROKER_URL=$BROKER UPLOAD_BROKER_KEY=$KEY XDG_STATE_HOME=$dir/state
    "$broker" serve >"$dir/serve.log" 2>&1 &
    pid=$!
    until_up "$BROKER/readyz" $pid
}

# line NAME FIGURE LIMIT TEST: prints a result. `TEST` is an awk condition on the figure f.
line() {
    printf '%-34s %10s   %-18s %s\n' "$1" "$2" "$3" \
        "$(awk -v f="$2" "BEGIN { print ($4) ? \"ok\" : \"MISSED\" }")"
}
