#!/bin/bash
# Measures the processor `csv-aggregate` on files of song plays: how fast it is, the memory that it takes, and
# whether it is ahead of Python's csv module, pandas, DuckDB and Polars, which run on one thread in the same run.
#
# COMMAND is what is measured. It gets the options as JSON, reads a file from its standard input, writes the
# result to its standard output, and its report as JSON in the last line of its standard error. `{options}` and
# `{memory}` (bytes) are replaced. ROWS (12,000,000) and MANY_ROWS (20,000,000) scale the files; the floors are for
# the default sizes. PROCESSING_LARGE=1 adds a file of 5 GB. FOLDER holds the files and is kept if it is set.
#
# The figures are best of RUNS (3), because other processes can only make them worse.
set -euo pipefail
cd "$(dirname "$0")/.."

COMMAND=${COMMAND:-"target/release/upload-broker process csv-aggregate --memory {memory} --options {options}"}

if [[ $COMMAND = target/release/* ]]; then
    cargo build --release --locked
fi
python=${PROCESSING_PYTHON:-.tools/processing/bin/python}
[ -x "$python" ] || { echo "$python is missing: run 'make bench-processing'" >&2; exit 1; }
folder=${FOLDER:-$(mktemp -d)}
[ -n "${FOLDER:-}" ] || trap 'rm -rf "$folder"' EXIT

echo
"$python" benches/processing.py "$COMMAND" "$folder" "${ROWS:-12000000}" "${MANY_ROWS:-20000000}" "${RUNS:-3}"
