#!/bin/sh
# Restarts the application when its database has other contents, waits until it is healthy, and has its log checked.
# The agent has no access to containers: it decides whether a restart is due, and judges what is found here.
#
# stdin: the request. AGENT, APPLICATION: names of the containers. DATABASE: name of the database.
# HEALTH: `path` when the agent checks a path of the application, else `container`. LIMIT: seconds to wait until it is healthy.
# WATCH: seconds that it must stay healthy. GRACE: seconds that it may take to stop.
set -eu
request=$(cat)
call_agent() { docker exec -i "$AGENT" stagecraft-agent "$@"; }
container() { docker inspect --format "{{$1}}" "$APPLICATION"; }

restarted=not-restarted
due=$(call_agent application-due "$DATABASE" "$(container .State.StartedAt)")
case "$due $(container .State.Status)" in
  "due "* | *" restarting")
    echo "restart of the application …" >&2
    docker restart --time "$GRACE" "$APPLICATION" > /dev/null
    restarted=restarted
    ;;
esac

started=$(container .State.StartedAt)
restarts=$(container .RestartCount)
begun=$(date +%s)
waited() { echo $(($(date +%s) - begun)); }

# Sets `problem`, which is empty when the application is healthy, and `seconds`, how long that took.
is_healthy() {
  problem=
  seconds=$(waited)
  if [ "$HEALTH" = path ]; then
    if answer=$(call_agent application-health "$seconds"); then
      seconds=$answer
    else
      problem=${answer:-the agent cannot check it}
      seconds=$(waited)
    fi
  else
    state=$(container '.State.Status}}{{with .State.Health}} {{.Status}}{{end')
    case $state in
      running | "running healthy") ;;
      *) problem="its container is $state" ;;
    esac
  fi
  [ -z "$problem" ]
}

until is_healthy; do
  if [ "$(container .RestartCount)" -ge $((restarts + 3)) ]; then
    problem="it ends again and again, with status $(container .State.ExitCode)"
    break
  fi
  if [ "$(waited)" -ge "$LIMIT" ]; then break; fi
  sleep 0.2
done

# Without a path to check, it must at least keep running.
if [ -z "$problem" ] && { [ "$restarted" = restarted ] || [ "$HEALTH" = container ]; }; then
  healthy_after=$seconds
  sleep "$WATCH"
  if is_healthy; then seconds=$healthy_after; fi
fi

{ printf '%s\n' "$request"; docker logs --timestamps --tail 20000 "$APPLICATION" 2>&1; } |
  call_agent application-report "$restarted" "$started" "$seconds" "$problem"
