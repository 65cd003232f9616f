#!/bin/sh
# Calls rustc so that the program counts which of its regions run. cargo calls this for the crate only, and
# not for its dependencies (RUSTC_WORKSPACE_WRAPPER).
exec "$@" -C instrument-coverage
