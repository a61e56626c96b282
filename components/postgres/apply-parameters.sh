#!/bin/sh
# Applies PostgreSQL's parameters: by a reload, and by a restart of PostgreSQL where one of them needs it.
# stdin: the request. AGENT, POSTGRES: names of the containers. GENERATION: recorded once they are applied.
set -eu
request=$(cat)
call_agent() { printf '%s' "$request" | docker exec -i "$AGENT" stagecraft-agent "$@"; }
status=0
answer=$(call_agent settings "$GENERATION") || status=$?
case $status in
  0) printf '%s\n' "$answer" ;;
  3)
    # Parameters wait for a restart (contract/verb.ts).
    docker restart --time 120 "$POSTGRES" > /dev/null
    call_agent settings-confirm "$GENERATION"
    ;;
  *) exit "$status" ;;
esac
