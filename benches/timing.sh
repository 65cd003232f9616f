#!/bin/bash
# Measures whether the time of a rejection reveals how much of a secret was correct. See timing.rs.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo bench --locked --quiet --bench timing
