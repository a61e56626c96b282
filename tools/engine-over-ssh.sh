#!/bin/bash
# The commands of old states call the script by this path, also to delete what they created.
exec "$(dirname "${BASH_SOURCE[0]}")/../engine/engine-over-ssh.sh" "$@"
