#!/bin/bash
# PostgreSQL 15.18 (Debian 15.18-0+deb12u1): the order of the options in PGOPTIONS decides whether a session is let in.
#
# A login role has been granted SET on a parameter that otherwise only a superuser may set, and is a member of another role.
# One would expect that the options of a connection are a set: "start as that role, with this parameter". They are applied one
# after the other, and the privilege is checked for the role that an earlier "-c role=…" has already switched to:
#   -c session_replication_role=replica -c role=worker    connects, as worker, with replica
#   -c role=worker -c session_replication_role=replica    FATAL: permission denied to set parameter
# Parameters of the login role itself (ALTER ROLE … SET, done by a superuser) apply in both cases.
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

as_nobody "$bin/initdb" -L "$work/root/usr/share/postgresql/15" --no-sync --auth=trust -U admin -D "$work/data" >/dev/null
as_nobody "$bin/pg_ctl" start -s -w -D "$work/data" -l "$work/log" -o "-c listen_addresses= -c unix_socket_directories=$work"
export PGHOST=$work PGDATABASE=postgres
query() { PGOPTIONS=${2:-} as_nobody "$bin/psql" -XAtq -U "$1" -c "$3" 2>&1; }

query admin "" "CREATE ROLE worker; CREATE ROLE login LOGIN IN ROLE worker; GRANT SET ON PARAMETER session_replication_role TO login"
shown="SELECT current_user, current_setting('session_replication_role')"
before=$(query login "-c session_replication_role=replica -c role=worker" "$shown") || true
after=$(query login "-c role=worker -c session_replication_role=replica" "$shown") || true
query admin "" "ALTER ROLE login SET session_replication_role = 'replica'"
own=$(query login "-c role=worker" "$shown") || true

printf 'PostgreSQL %s\n  parameter, then role: %s\n  role, then parameter: %s\n  ALTER ROLE, then role: %s\n' "$version" "$before" "$after" "$own"
[[ $before == "worker|replica" && $own == "worker|replica" ]] || exit 1
[[ $after == *'permission denied to set parameter "session_replication_role"'* ]] || exit 1
