#!/bin/bash
# Checks the shell scripts of the project; installs shellcheck where it is missing and may be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v shellcheck >/dev/null; then
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "npm run check needs shellcheck; install it, e.g. with: sudo apt-get install shellcheck" >&2
    exit 1
  fi
  { apt-get update && apt-get install -y --no-install-recommends shellcheck; } >/dev/null
fi

shellcheck tools/*.sh images/stagecraft-* .ci/run
