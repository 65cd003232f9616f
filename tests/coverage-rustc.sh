#!/bin/bash
# Calls rustc so that the program counts which of its regions run. cargo calls this for the crate only, and
# not for its dependencies (RUSTC_WORKSPACE_WRAPPER). It is not dash, which drops variables whose names contain
# hyphens, such as CARGO_BIN_EXE_upload-broker.
exec "$@" -C instrument-coverage
