#!/bin/bash
# Measures the processor `image-resize` beside ImageMagick and vipsthumbnail: time, CPU time and memory, each on one
# thread, for two sizes of a photo of 24 megapixels, and of PNG images of 67 megapixels. Also the time until a file is
# refused that claims far more pixels than it has.
#
# COMMAND is what is measured. `{options}` and `{memory}` (bytes) are replaced. FOLDER holds the images and is kept if
# it is set. The figures are best of RUNS (3), because other processes can only make them worse.
set -euo pipefail
cd "$(dirname "$0")/.."

COMMAND=${COMMAND:-"target/release/upload-broker process image-resize --memory {memory} --options {options}"}

if [[ $COMMAND = target/release/* ]]; then
    cargo build --release --locked
fi
folder=${FOLDER:-$(mktemp -d)}
[ -n "${FOLDER:-}" ] || trap 'rm -rf "$folder"' EXIT

echo
.venv/bin/python3 benches/images.py "$COMMAND" "$folder" "${RUNS:-3}"
