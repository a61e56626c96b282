#!/bin/bash
# PostgreSQL 15.18 (Debian 15.18-0+deb12u1): the parameter is_superuser is "on" in code that does not run as a superuser.
#
# A superuser's ANALYZE runs the functions of index expressions as the owner of the table, and a SECURITY DEFINER function runs
# as its owner. current_user says so in both, and a superuser's work is denied there. is_superuser, which the manual describes
# by the current user, keeps the value of the session: "on". Code that asks it whether it may do something, or a test that asks
# it whether something ran as a superuser, is misled; ask pg_roles for current_user instead.
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
export PGHOST=$work PGDATABASE=postgres PGUSER=admin

as_nobody "$bin/psql" -Xqo /dev/null -c "
  CREATE ROLE worker;
  GRANT CREATE ON SCHEMA public TO worker;
  SET ROLE worker;
  CREATE FUNCTION public.who(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS \$\$
    DECLARE may text := 'may read server files';
    BEGIN
      BEGIN PERFORM pg_catalog.pg_read_file('PG_VERSION'); EXCEPTION WHEN insufficient_privilege THEN may := 'may not read server files'; END;
      RAISE NOTICE 'user %, is_superuser %, %', current_user, current_setting('is_superuser'), may;
      RETURN i;
    END \$\$;
  CREATE FUNCTION public.as_owner() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN public.who(1); END';
  CREATE TABLE public.t AS SELECT 1 AS i;
  SET client_min_messages = error;
  CREATE INDEX ON public.t (public.who(i));"
analyze=$(as_nobody "$bin/psql" -Xqc "ANALYZE public.t" 2>&1 | head -n 1)
definer=$(as_nobody "$bin/psql" -Xqo /dev/null -c "SELECT public.as_owner()" 2>&1 | head -n 1)

printf 'PostgreSQL %s\n  ANALYZE by a superuser: %s\n  SECURITY DEFINER, called by a superuser: %s\n' "$version" "$analyze" "$definer"
expected="NOTICE:  user worker, is_superuser on, may not read server files"
[[ $analyze == "$expected" && $definer == "$expected" ]] || exit 1
