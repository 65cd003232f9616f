#!/bin/bash
# with-postgres.sh COMMAND…: runs COMMAND with the DATABASE_URL of a new, empty, durable Postgres, and removes
# that afterwards. It listens on a loopback port and requires a password.
set -euo pipefail

bin=${PG_BIN:-}
if [ -z "$bin" ] && command -v initdb >/dev/null; then
    bin=$(dirname "$(readlink -f "$(command -v initdb)")")
fi
if [ -z "$bin" ]; then
    bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
fi
[ -x "$bin/initdb" ] || { echo "no Postgres server programs: run 'make postgres'" >&2; exit 1; }

# Postgres refuses to run as root.
as_user=()
dir=$(mktemp -d)
stop() {
    "${as_user[@]}" "$bin/pg_ctl" -D "$dir/data" -m fast -w stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap stop EXIT
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id -u "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$dir"
    as_user=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups --)
fi

password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077; printf '%s' "$password" > "$dir/password")
[ "$(id -u)" != 0 ] || chown "$user" "$dir/password"
cd "$dir"
"${as_user[@]}" "$bin/initdb" -D "$dir/data" -A scram-sha-256 -U postgres --pwfile="$dir/password" \
    --locale=C -E UTF8 >/dev/null
# Postgres cannot choose a free port itself, so the kernel assigns one.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${as_user[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w start \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200" \
    >/dev/null || { cat "$dir/log" >&2; exit 1; }
cd "$OLDPWD"
DATABASE_URL="postgres://postgres:$password@127.0.0.1:$port/postgres" PG_BIN=$bin "$@"
