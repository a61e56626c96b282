#!/bin/bash
# PostgreSQL 15.18 (Debian 15.18-0+deb12u1): the view pg_hba_file_rules has no error for a rule that PostgreSQL rejects.
#
# The view is for trying changes of pg_hba.conf: one would expect, as its column is documented, that a line which cannot be
# processed has its reason in "error", so that "no row with an error" means that a reload or a start accepts the file. For a
# RADIUS server whose name cannot be resolved at that time the row has neither a type nor an error. A reload keeps the previous
# rules (only the server's log says so), and the next start fails: "could not load pg_hba.conf". So a name server that is down
# keeps PostgreSQL from starting with a file that it has accepted before.
#
# Exits with 0 while this is so, with 1 when it has changed. Needs apt on Debian 12 (amd64), and a user other than root to run
# PostgreSQL as ("nobody").
set -euo pipefail
version=15.18-0+deb12u1
work=$(mktemp -d)
chmod 0755 "$work"
trap '[[ ! -s $work/data/postmaster.pid ]] || as_nobody "$bin/pg_ctl" stop -s -m immediate -D "$work/data" || true; rm -rf "$work"' EXIT

as_nobody() {
  if (($(id -u) == 0)); then setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$work" "$@"; else "$@"; fi
}

(cd "$work" && apt-get -qq download "postgresql-15=$version" "postgresql-client-15=$version")
for package in "$work"/*.deb; do dpkg -x "$package" "$work/root"; done
bin=$work/root/usr/lib/postgresql/15/bin
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
if (($(id -u) == 0)); then chown 65534 "$work"; fi

start() {
  as_nobody "$bin/pg_ctl" start -s -w -D "$work/data" -l "$work/log" -o "-c listen_addresses= -c unix_socket_directories=$work" >/dev/null 2>&1
}
export PGHOST=$work PGDATABASE=postgres
query() { as_nobody "$bin/psql" -XAtq -U admin -c "$1"; }

as_nobody "$bin/initdb" -L "$work/root/usr/share/postgresql/15" --no-sync --auth=trust -U admin -D "$work/data" >/dev/null
start
printf '%s\n' 'local all all trust' \
  'host all all 192.0.2.0/24 radius radiusservers=radius.invalid radiussecrets=secret' |
  as_nobody tee "$work/data/pg_hba.conf" >/dev/null

rows=$(query "SELECT line_number, type IS NULL, error IS NULL FROM pg_hba_file_rules ORDER BY 1")
query "SELECT pg_reload_conf()" >/dev/null
sleep 1
kept=$(grep -c "pg_hba.conf was not reloaded" "$work/log") || true
as_nobody "$bin/pg_ctl" stop -s -w -m fast -D "$work/data"
if start; then started=yes; else started=no; fi
reason=$(grep -o "could not load .*pg_hba.conf" "$work/log" | sed "s|$work/data/||" | tail -n 1) || true

printf 'PostgreSQL %s\n  line, without type, without error:\n%s\n  "was not reloaded" in the log: %s\n  starts again: %s (%s)\n' \
  "$version" "$rows" "$kept" "$started" "$reason"
[[ $rows == *"2|t|t"* && $kept == 1 && $started == no && -n $reason ]] || exit 1
