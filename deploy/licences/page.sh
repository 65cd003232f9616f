#!/bin/sh
# Prints the licence texts of the packages that the web page contains. They have to be installed.
set -eu

cd "$(dirname "$0")/../../web/page"
npm ls --omit=dev --all --parseable | sed 1d | while read -r package; do
    # npm also lists files in node_modules, such as a stamp of make.
    [ -d "$package" ] || continue
    printf '%s\n\n' "${package#"$PWD"/node_modules/}"
    cat "$package"/LICENSE*
    printf '\n\n'
done
