#!/bin/bash
# PostgreSQL 15.18 (Debian 15.18-0+deb12u1): a full disk rejects logins, also of those who only read.
#
# A full data volume should stop what writes: one would expect that queries are answered and an administrator can connect. After
# ANALYZE of a catalogue (autovacuum does it at any time) the next session of each database writes a cache, pg_internal.init.
# That it cannot create this file is only a warning; that it cannot fill it ends the session:
#   FATAL:  could not write init file
# So sessions that were open continue, and every new one fails until space is free. The message names neither the file nor the
# reason (17.12 adds the reason).
#
# Exits with 0 while this is so, with 1 when it has changed. Needs apt on Debian 12 (amd64), root for a small tmpfs in a mount
# namespace of its own, and a user other than root to run PostgreSQL as ("nobody").
set -euo pipefail
if [[ ${1:-} != inside ]]; then exec unshare --mount -- bash "$0" inside; fi
version=15.18-0+deb12u1
work=$(mktemp -d)
chmod 0755 "$work"
trap '[[ ! -s $work/volume/data/postmaster.pid ]] || as_nobody "$bin/pg_ctl" stop -s -m immediate -D "$work/volume/data" || true; umount "$work/volume"; rm -rf "$work"' EXIT

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$work" "$@"; }

(cd "$work" && apt-get -qq download "postgresql-15=$version" "postgresql-client-15=$version")
for package in "$work"/*.deb; do dpkg -x "$package" "$work/root"; done
bin=$work/root/usr/lib/postgresql/15/bin
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
mkdir "$work/volume"
mount -t tmpfs -o size=96m,mode=0777 tmpfs "$work/volume"
chown 65534 "$work"

as_nobody "$bin/initdb" -L "$work/root/usr/share/postgresql/15" --no-sync --auth=trust -U admin -D "$work/volume/data" >/dev/null
as_nobody "$bin/pg_ctl" start -s -w -D "$work/volume/data" -l "$work/log" -o "-c listen_addresses= -c unix_socket_directories=$work -c autovacuum=off"
export PGHOST=$work PGDATABASE=postgres
query() { as_nobody "$bin/psql" -XAtq -U admin -c "$1" 2>&1 || true; }

query "CREATE TABLE more (id int); ANALYZE pg_class" >/dev/null
as_nobody dd if=/dev/zero of="$work/volume/filler" bs=4k status=none 2>/dev/null || true
full=$(query "SELECT 'read'")
rm "$work/volume/filler"
free=$(query "SELECT 'read'")
as_nobody dd if=/dev/zero of="$work/volume/filler" bs=4k status=none 2>/dev/null || true
cached=$(query "SELECT 'read'")

printf 'PostgreSQL %s\n  disk full, after ANALYZE: %s\n  with free space: %s\n  disk full, cache written: %s\n' "$version" "${full##*failed: }" "$free" "$cached"
[[ $full == *"FATAL:  could not write init file"* && $free == read && $cached == read ]] || exit 1
