#!/bin/bash
# Measures the processor `pdf-text` and the search: extraction from the command line, then documents of 5,000 pages
# from their acknowledge to the search with a worker, and searches over 15,000 pages.
#
# Figures are those of one run, but the best of ten searches for each query: other processes can only make them worse.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != measure ]; then
    cargo build --release --locked
    exec benches/with-postgres.sh "$0" measure
fi
. benches/common.sh

.venv/bin/python3 tests/corpus/pdfs.py "$dir" pages-500 pages-5000 stream-bomb form-fan-out flipped page-tree-deep
printf '[[rule]]\nprocessor = "pdf-text"\ncontent_types = ["application/pdf"]\n' > "$dir/rules.toml"
export BROKER_PROCESSORS_FILE=$dir/rules.toml BROKER_ROLES=http,relay,janitor,worker BROKER_WORKER_SCRATCH=$dir

echo
start_dev_s3
start_broker
.venv/bin/python3 benches/documents.py "$broker" "$dir"
