#!/bin/bash
# Does the time of a refusal tell how much of a secret was right? See timing.rs.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo bench --locked --quiet --bench timing
