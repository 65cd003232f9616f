#!/bin/bash
# Measures what authentication, limits and the audit cost together, as a fraction of `POST /uploads`.
#
# Two brokers share one Postgres. One has no authentication, no limits and no audit. The other has all of
# them, and is called with a key of a tenant with limits. They are measured alternately in short rounds, and
# the median of the pairs is the result, so that other load on the machine affects both. A round starts with
# a second that is not measured, so that audit rows are written at the rate at which they are added. It ends
# when all audit rows are written, so that the remaining work of one broker does not slow down the other.
#
# The additional cost of the quotas of a tenant is printed without a target: quotas are exact to the byte,
# which requires one transaction after the other.
#
# ROUNDS (6) is the number of pairs, SECONDS_EACH (4) the length of each measurement.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-6} seconds=${SECONDS_EACH:-4}

if [ "${1:-}" != inside ]; then
    cargo build --release --locked
    exec benches/with-postgres.sh "$0" inside
fi

. benches/common.sh

start_s3 AUTH=true
.venv/bin/python3 -c 'import boto3; boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="bench")'
export BROKER_S3_BUCKET=bench RUST_LOG=warn
"$broker" migrate >"$dir/migrate.log" 2>&1
make_key() {
    "$broker" keys create --tenant "$1" --scopes uploads:write --json |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])'
}
limits=(--max-size 1000000000 --content-types 'text/*,image/*' --url-seconds 600 --max-url-seconds 3600)
"$broker" tenants create limited "${limits[@]}" >>"$dir/tenants.log"
"$broker" tenants create counted "${limits[@]}" --quota-bytes 1000000000000000 --quota-open-uploads 1000000000 \
    >>"$dir/tenants.log"
limited=$(make_key limited) counted=$(make_key counted)

open=$(free_port)
BROKER_BIND=127.0.0.1:$open BROKER_AUTH=off BROKER_AUDIT=off "$broker" serve >"$dir/open.log" 2>&1 &
until_up "http://127.0.0.1:$open/readyz" $!
guarded=$(free_port)
BROKER_BIND=127.0.0.1:$guarded BROKER_RATE_LIMIT_PER_KEY=1000000:1000000 \
    BROKER_RATE_LIMIT_PER_ADDRESS=1000000:1000000 "$broker" serve >"$dir/guarded.log" 2>&1 &
until_up "http://127.0.0.1:$guarded/readyz" $!

metric() {
    curl --fail --silent "http://127.0.0.1:$1/metrics" |
        awk -v name="upload_broker_$2" 'index($0, name " ") == 1 { found = $NF } END { print found + 0 }'
}
wait_for_audit() { until [ "$(metric "$1" audit_waiting_rows)" = 0 ]; do :; done; }

# round PORT KEY FILE: appends the requests/s to a file, and requests/s and responses other than 2xx to `all`.
round() {
    export KEY=$2
    wrk -t 2 -c 64 -d 1s -s benches/create.lua "http://127.0.0.1:$1" >"$dir/warm.log"
    wrk -t 2 -c 64 -d "${seconds}s" --latency -s benches/create.lua "http://127.0.0.1:$1" >"$dir/wrk.log"
    awk '/^RESULT/ { print $2, $4 }' "$dir/warm.log" "$dir/wrk.log" >>"$dir/all"
    awk '/^RESULT/ { print $2 }' "$dir/wrk.log" >>"$dir/$3"
    wait_for_audit "$1"
}

for at in $(seq "$rounds"); do
    # The broker that is measured first has a smaller table, so the order alternates.
    order=(open guarded)
    [ $((at % 2)) = 0 ] || order=(guarded open)
    for which in "${order[@]}"; do
        case $which in
        open) round "$open" "" open ;;
        guarded) round "$guarded" "$limited" guarded ;;
        esac
    done
    [ "$at" -gt 2 ] || round "$guarded" "$counted" counted
done

median() { sort -n | awk '{ all[NR] = $1 } END { print (all[int((NR + 1) / 2)] + all[int((NR + 2) / 2)]) / 2 }'; }
cost=$(paste "$dir/open" "$dir/guarded" | awk '{ print (1 - $2 / $1) * 100 }' | median | xargs printf '%.1f')
refused=$(awk '{ sum += $2 } END { print sum }' "$dir/all")
written=$(metric "$guarded" audit_written_rows_total) lost=$(metric "$guarded" audit_lost_rows_total)
made=$(metric "$guarded" 'http_request_duration_seconds_count{method="POST",route="/uploads",status="2xx"}')
echo
line "POST /uploads/s, unprotected" "$(median <"$dir/open")" "" "f > 0"
line "POST /uploads/s, protected" "$(median <"$dir/guarded")" "" "f > 0"
line "cost of the protection (%)" "$cost" "at most 10" "f <= 10"
line "POST /uploads/s, with quotas too" "$(median <"$dir/counted")" "" "f > 0"
line "responses other than 2xx" "$refused" "none" "f == 0"
line "audit rows written" "$written" "one per upload" "f == $made"
line "audit rows lost" "$lost" "none" "f == 0"
