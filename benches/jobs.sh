#!/bin/bash
# Measures how many small jobs of csv-aggregate four workers run in a second, on this machine, together with the
# broker, Postgres (durable) and the store. JOBS (10000) is the number of datasets.
#
# Each job claims, reads its dataset, starts a bounded process, writes a result, proves it, and ends.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != inside ]; then
    cargo build --release --locked
    exec benches/with-postgres.sh "$0" inside
fi

. benches/common.sh
start_dev_s3
export BROKER_PROCESSORS_FILE=$dir/rules.toml
cat >"$BROKER_PROCESSORS_FILE" <<'RULES'
[[rule]]
processor = "csv-aggregate"
content_types = ["text/csv"]
options = { group_by = ["Song"], aggregates = [{ function = "count" }] }
RULES
start_broker

jobs=${JOBS:-10000}
mkdir "$dir/files"
for n in $(seq "$jobs"); do printf 'Song,Plays\na,%d\nb,1\n' "$n" >"$dir/files/$n.csv"; done
echo "Uploading $jobs datasets"
"$broker" put --quiet "$dir/files" /jobs/ >"$dir/put.log"

psql=$PG_BIN/psql
[ -x "$psql" ] || psql=psql
count() { "$psql" -qtA "$DATABASE_URL" -c "SELECT count(*) FROM jobs WHERE status = '$1'"; }
[ "$(count Queued)" = "$jobs" ] || { echo "only $(count Queued) jobs are queued" >&2; exit 1; }
start=$(date +%s%N)
for n in 1 2 3 4; do
    BROKER_WORKER_BIND=127.0.0.1:$(free_port) "$broker" worker >"$dir/worker-$n.log" 2>&1 &
done
until [ "$(($(count Succeeded) + $(count Failed)))" -ge "$jobs" ]; do sleep 0.5; done
took=$((($(date +%s%N) - start) / 1000000))
echo
line "jobs that succeeded" "$(count Succeeded)" "all of $jobs" "f == $jobs"
line "jobs/s of four workers" "$((jobs * 1000 / took))" "at least 30" "f >= 30"
