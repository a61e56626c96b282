#!/bin/sh
# Restores a dump that is a file: sends it to the agent unless it has it, then the request, which is stdin.
docker exec -i "$AGENT" stagecraft-agent receive "$SHA256" "$DATABASE" "$MODE" < "$DUMP" && exec docker exec -i "$AGENT" stagecraft-agent restore
