#!/bin/bash
# all.sh [NAME…]: runs these benchmarks, or those of `make bench`, one after the other. Fails at the end if one of
# them failed or printed a line with MISSED.
set -euo pipefail
cd "$(dirname "$0")/.."

output=$(mktemp)
trap 'rm -f "$output"' EXIT
failed=()
[ $# != 0 ] || set -- timing http guards quota growth sweep large small
for bench in "$@"; do
    "benches/$bench.sh" 2>&1 | tee "$output" || failed+=("$bench")
    if grep -q 'MISSED$' "$output"; then failed+=("$bench (missed)"); fi
done
[ ${#failed[@]} = 0 ] || { printf '== FAILED: %s\n' "${failed[@]}" >&2; exit 1; }
