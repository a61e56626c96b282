#!/bin/bash
# Downloads npm's build of Node for Linux to the user's cache: fetch-node.sh VERSION x64|arm64. Its SHA-256 must be in
# checksums.txt, and is compared before the package is unpacked.
set -euo pipefail
version=$1 arch=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/stagecraft
name=node-linux-$arch-$version.tgz

fail() {
  printf '%s\n  fix   %s\n' "$1" "$2" >&2
  exit 1
}

expected=$(awk -v name="$name" '$2 == name { print $1 }' "$here/checksums.txt")
if [[ -z $expected ]]; then
  fail "$name is not downloaded, because tools/checksums.txt has no checksum for it" \
    "add its SHA-256 to that file, from a source that you trust"
fi

temporary=$(mktemp -d "$cache/node.partial-XXXXXX") # readable by this user only
trap 'rm -rf "$temporary"' EXIT
(cd "$temporary" && npm pack --silent --ignore-scripts "node-linux-$arch@$version" >/dev/null)

got=$(if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi <"$temporary/$name")
got=${got%% *}
if [[ $got != "$expected" ]]; then
  fail "$name has the SHA-256 $got, but tools/checksums.txt expects $expected" \
    "nothing was installed; run this again, and report it if it happens again: somebody may have replaced the file"
fi

tar -xzf "$temporary/$name" -C "$temporary" --no-same-owner
chmod 755 "$temporary/package" "$temporary/package/bin" "$temporary/package/bin/node"
rm -rf "$cache/node-$version"
mv "$temporary/package" "$cache/node-$version"
