#!/bin/bash
# Checks every shell script of the project: files named *.sh, and files without a suffix that begin with a line for sh or
# bash. Installs shellcheck where it is missing and may be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v shellcheck >/dev/null; then
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "npm run check needs shellcheck; install it, e.g. with: sudo apt-get install shellcheck" >&2
    exit 1
  fi
  { apt-get update && apt-get install -y --no-install-recommends shellcheck; } >/dev/null
fi

# Like git's files, but also in a copy without .git.
list_files() {
  git ls-files --cached --others --exclude-standard 2>/dev/null ||
    find . -path ./node_modules -prune -o -path ./.stagecraft -prune -o -type f -print
}

scripts=()
while IFS= read -r file; do
  [[ -f $file ]] || continue
  if [[ $file == *.sh ]]; then
    scripts+=("$file")
  elif [[ ${file##*/} != *.* || $file == .ci/* ]] && head -n 1 "$file" | grep -aqE '^#!.*\b(ba)?sh$'; then
    scripts+=("$file")
  fi
done < <(list_files)
shellcheck "${scripts[@]}"
