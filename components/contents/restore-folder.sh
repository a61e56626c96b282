#!/bin/sh
# Restores a dump that is a folder: sends it to the agent unless it has it, then the request, which is stdin.
tar -C "$DUMP" -cf - . | docker exec -i "$AGENT" stagecraft-agent receive "$SHA256" "$DATABASE" "$MODE" --folder && exec docker exec -i "$AGENT" stagecraft-agent restore
