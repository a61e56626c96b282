#!/bin/bash
# PostgreSQL 15.18 (Debian 15.18-0+deb12u1): an owner may SET a custom parameter, but not store it for the own database.
#
# The owner of a database, not a superuser, sets work_mem for it (ALTER DATABASE … SET), and sets app.tenant in a session.
# One would expect that storing app.tenant for the database works like storing work_mem. It fails, for the database as for the
# owner's own role, with 42501 "permission denied to set parameter". So the ALTER DATABASE lines that "pg_dump -C" writes for an
# application's parameters restore only as a superuser, although everything else of such a dump restores as the owner.
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
export PGHOST=$work
query() { as_nobody "$bin/psql" -XAtq -v VERBOSITY=verbose -U "$1" -d "$2" -c "$3" 2>&1 || true; }

query admin postgres "CREATE ROLE keeper LOGIN"
query admin postgres "CREATE DATABASE shop OWNER keeper"
known=$(query keeper shop "ALTER DATABASE shop SET work_mem = '8MB'; SELECT 'stored'")
session=$(query keeper shop "SET app.tenant = 'a'; SELECT current_setting('app.tenant')")
database=$(query keeper shop "ALTER DATABASE shop SET app.tenant = 'a'; SELECT 'stored'")
role=$(query keeper shop "ALTER ROLE keeper SET app.tenant = 'a'; SELECT 'stored'")
superuser=$(query admin shop "ALTER DATABASE shop SET app.tenant = 'a'; SELECT 'stored'")

database=${database%%$'\n'*} role=${role%%$'\n'*}
printf 'PostgreSQL %s\n  work_mem of the database: %s\n  app.tenant of the session: %s\n  app.tenant of the database: %s\n  app.tenant of the role: %s\n  the same as superuser: %s\n' \
  "$version" "$known" "$session" "$database" "$role" "$superuser"
[[ $known == stored && $session == a && $superuser == stored ]] || exit 1
[[ $database == *42501*"permission denied to set parameter"* && $role == *42501*"permission denied to set parameter"* ]] || exit 1
