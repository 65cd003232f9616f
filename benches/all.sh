#!/bin/bash
# All that the broker is measured by, one after the other; fails in the end where one of them
# failed, or a line says MISSED.
set -euo pipefail
cd "$(dirname "$0")/.."

said=$(mktemp)
trap 'rm -f "$said"' EXIT
failed=()
for bench in timing http guards growth sweep large small; do
    "benches/$bench.sh" 2>&1 | tee "$said" || failed+=("$bench")
    if grep -q 'MISSED$' "$said"; then failed+=("$bench (missed)"); fi
done
[ ${#failed[@]} = 0 ] || { printf '== FAILED: %s\n' "${failed[@]}" >&2; exit 1; }
