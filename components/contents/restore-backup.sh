#!/bin/sh
# Restores a backup: the agent reads it, or fetches its off-site copy. stdin: the request.
exec docker exec -i "$AGENT" stagecraft-agent restore
