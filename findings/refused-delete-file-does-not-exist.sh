#!/bin/bash
# rclone 1.60.1 (Debian 1.60.1+dfsg-2+b5) with OpenSSH 9.2 (Debian 1:9.2p1-2+deb12u10): a file that may not be deleted
# "does not exist".
#
# A place for backups allows no deletion: its SFTP server runs with "-P remove" and answers "Permission denied". One would
# expect that rclone deletefile says so, as OpenSSH's own client does. It says "file does not exist" of a file that it lists
# right after that: when the removal is denied, it tries to remove the name as a folder, and reports that error. So a program
# that takes this message for "already deleted" believes in a deletion that did not happen, and one that looks for "permission
# denied" does not see that the place is append-only. Only another listing shows it.
#
# Exits with 0 while this is so, with 1 when it has changed. Needs apt on Debian 12 (amd64), and a user other than root to run
# sshd as ("nobody").
set -euo pipefail
rclone_version=1.60.1+dfsg-2+b5
openssh_version=1:9.2p1-2+deb12u10
port=$((20000 + RANDOM % 20000))
work=$(mktemp -d)
chmod 0755 "$work"
trap '[[ ! -s $work/sshd.pid ]] || kill "$(<"$work/sshd.pid")" || true; rm -rf "$work"' EXIT

user=$(id -un)
if ((EUID == 0)); then user=nobody; fi
as_user() {
  if ((EUID == 0)); then setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$work" "$@"; else "$@"; fi
}

packages=("rclone=$rclone_version" "openssh-server=$openssh_version" "openssh-client=$openssh_version" libwrap0)
(cd "$work" && apt-get -qq download "${packages[@]}" 2>/dev/null)
for package in "$work"/*.deb; do dpkg -x "$package" "$work/root"; done
bin=$work/root/usr/bin
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu:$work/root/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
mkdir "$work/place"
echo kept >"$work/place/copy"
if ((EUID == 0)); then chown -R 65534 "$work"; fi
for key in host_key key; do as_user "$bin/ssh-keygen" -q -t ed25519 -N "" -f "$work/$key"; done

as_user "$work/root/usr/sbin/sshd" -f /dev/null -p "$port" -h "$work/host_key" -E "$work/log" -o ListenAddress=127.0.0.1 \
  -o PidFile="$work/sshd.pid" -o AuthorizedKeysFile="$work/key.pub" -o StrictModes=no -o UsePAM=yes -o AllowUsers="$user" \
  -o Subsystem="sftp internal-sftp" -o ForceCommand="internal-sftp -P remove"
for _ in {1..50}; do [[ ! -s $work/sshd.pid ]] || break && sleep 0.1; done

with_rclone() {
  as_user "$bin/rclone" --config /dev/null --retries 1 --low-level-retries 1 "$@" 2>&1
}
place=":sftp,host=127.0.0.1,port=$port,user=$user,key_file=$work/key,disable_hashcheck,shell_type=none:$work/place"
deleted=$(with_rclone deletefile "$place/copy") && status=0 || status=$?
listed=$(with_rclone lsf "$place") || true
ssh_options=(-q -P "$port" -i "$work/key" -S "$bin/ssh" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null)
own=$(as_user "$bin/sftp" "${ssh_options[@]}" -b - "$user@127.0.0.1:$work/place" <<<"rm copy" 2>&1) || true

printf 'rclone deletefile, status %s: %s\nrclone lsf: %s\nsftp: %s\n' "$status" "$deleted" "$listed" "$own"
[[ $status != 0 && $deleted == *"file does not exist"* && ${deleted,,} != *"permission denied"* ]] || exit 1
[[ $listed == *copy* && $(<"$work/place/copy") == kept && $own == *"Permission denied"* ]] || exit 1
