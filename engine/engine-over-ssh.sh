#!/bin/bash
# Prints where the Docker engine of another machine answers on this one, for DOCKER_HOST.
# usage: engine/engine-over-ssh.sh ssh://user@host[:port]
#
# All calls share one SSH connection, which the first one opens and which ends five minutes after the last. ssh asks for
# nothing, the host's key must be known, and ~/.ssh/config applies as usual.
set -euo pipefail

host=${1:?usage: engine/engine-over-ssh.sh ssh://user@host[:port]}
if ! command -v ssh >/dev/null; then
  echo "ssh is not installed on this machine" >&2
  exit 127
fi

# In the home that ssh means by "~": components/engine/host.ts names it so. The path of a socket must be short.
home=$({ getent passwd "$(id -u)" 2>/dev/null || echo "::::::$HOME"; } | cut -d: -f6)
folder=$home/.cache/stagecraft/ssh
name=$(printf %s "$host" | sha256sum | head -c 12)
engine=$folder/$name.engine

over_ssh() {
  ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 \
    -o "ControlPath=$folder/$name" "$@"
}

is_connected() {
  over_ssh -O check -- "$host" 2>/dev/null && [[ -S $engine ]]
}

disconnect() {
  over_ssh -O exit -- "$host" 2>/dev/null || true
}

connect() {
  disconnect # from what is half there
  rm -f "$engine"
  # In the background once it is connected: its output must not be ours, or our caller would wait for its end.
  local endpoint log=$folder/$name.log status=0
  over_ssh -o ControlMaster=auto -o ControlPersist=300 -fNn -- "$host" >"$log" 2>&1 || status=$?
  if ((status != 0)); then cat "$log" >&2; fi
  rm -f "$log"
  if ((status != 0)); then return "$status"; fi
  if endpoint=$(over_ssh -n -- "$host" "docker version >/dev/null && docker context inspect --format '{{.Endpoints.docker.Host}}'"); then
    over_ssh -O forward -L "$engine:${endpoint#*://}" -- "$host" >/dev/null
    if docker --host "unix://$engine" version >/dev/null 2>&1; then return; fi
    echo "sshd of $host does not lead to ${endpoint#*://}" >&2
  fi
  disconnect
  return 1
}

# One at a time: the others then find it connected.
if ! is_connected; then
  mkdir -p "$folder" && chmod 0700 "$folder"
  {
    if command -v flock >/dev/null; then flock 9; fi
    is_connected || connect
  } 9>"$folder/$name.lock"
fi
echo "unix://$engine"
