#!/bin/sh
# Restores a backup, which the agent reads or fetches by itself. stdin: the request.
exec docker exec -i "$AGENT" stagecraft-agent restore
