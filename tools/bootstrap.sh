#!/bin/bash
# Entry point of every npm script: installs Node if it is missing or too old, and node_modules, then runs the script.
# Prints nothing if there is nothing to install.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

node_version=22.23.3
cache=${XDG_CACHE_HOME:-$HOME/.cache}/stagecraft

has_node() {
  local major minor
  IFS=. read -r major minor _ < <(node --version 2>/dev/null || echo v0.0.0)
  major=${major#v}
  ((major > 22 || (major == 22 && minor >= 13))) # as in tools/versions.ts
}

# Runs a command and prints a line with its name and duration. The command's output is shown only if it fails.
# Bash ignores "set -e" in a function called from "if", so the functions called by step join their commands with "&&".
step() {
  local name=$1 detail=$2 began=$SECONDS output
  shift 2
  if ! output=$("$@" 2>&1); then
    printf ' ✘ %-31s\n%s\n' "$name" "$output" >&2
    return 1
  fi
  printf ' ✔ %-31s %s, %d s\n' "$name" "$detail" $((SECONDS - began))
}

# Creates the cache folder. Rejects one of another user, or that every user can write to: Node is executed from it.
check_cache() {
  (umask 077 && mkdir -p "$cache")
  local home_owner
  home_owner=$(stat -L -c %u "${HOME:-/}" 2>/dev/null || stat -L -f %u "${HOME:-/}") # GNU's, or macOS's
  if [[ -n $(find -L "$cache" -maxdepth 0 \( -perm -002 -o ! -user 0 ! -user "$EUID" ! -user "$home_owner" \)) ]]; then
    echo "$cache can be changed by other users, who could replace the programs in it" >&2
    echo "  fix   remove it, or make it yours: chown \"\$USER\" $cache && chmod 700 $cache" >&2
    exit 1
  fi
}

install_node() {
  local arch=x64
  if [[ $(uname -m) == aarch64 ]]; then arch=arm64; fi
  bash tools/fetch-node.sh "$node_version" "$arch" && ln -sfn "node-$node_version" "$cache/node"
}

install_modules() {
  npm ci --no-fund --no-audit &&
    mkdir -p node_modules && # npm creates none if there are no packages
    cp package-lock.json node_modules/.stagecraft-lock
}

# Compares with a copy of the lockfile that node_modules was installed from.
has_modules() { cmp -s package-lock.json node_modules/.stagecraft-lock; }

# Runs a step under a lock, unless it has been done meanwhile: two at once would write to the same folder.
locked_step() {
  local is_done=$1
  shift
  (
    exec 9>"$cache/bootstrap.lock"
    if command -v flock >/dev/null; then flock 9; fi
    "$is_done" || step "$@" 9>&-
  )
}

check_cache
if ! has_node; then
  PATH=$cache/node/bin:$PATH
  if ! has_node; then
    locked_step has_node "Node 22" "from npm" install_node
    hash -r
  fi
fi
export PATH

if ! has_modules; then locked_step has_modules "npm packages" "npm ci" install_modules; fi

# Node uses the proxy of HTTPS_PROXY only if this variable is set.
if [[ -n ${HTTPS_PROXY:-${https_proxy:-}} ]]; then export NODE_USE_ENV_PROXY=1; fi

script=${1:?usage: tools/bootstrap.sh start|test|check|bench [arguments]}
shift
case $script in
  start)
    node tools/build.mjs
    exec node dist/stagecraft.js start "$@"
    ;;
  test) exec node tools/test.mjs "$@" ;;
  check) exec npm run --silent check:all -- "$@" ;;
  bench) exec node tools/bench.mjs "$@" ;;
  *)
    echo "tools/bootstrap.sh: unknown script \"$script\"; available: start, test, check, bench" >&2
    exit 2
    ;;
esac
