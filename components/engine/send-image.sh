#!/bin/sh
# Builds an image here unless the engine of another machine has it, and sends it there: that machine may not reach the
# package registries. TAG, CONTEXT, SERVER_IMAGE: as in build-image.sh. HOST: the machine. WHAT: the image in messages.
# ENGINE_OVER_SSH: path of the script that connects to its engine, from the working directory.
set -eu
engine=$("$PWD/$ENGINE_OVER_SSH" "$HOST")
is_there() { docker --host "$engine" image inspect "$TAG" > /dev/null 2>&1; }
if is_there; then exit; fi
docker image inspect "$TAG" > /dev/null 2>&1 ||
  DOCKER_BUILDKIT=0 docker build --tag "$TAG" ${SERVER_IMAGE:+--build-arg "SERVER_IMAGE=$SERVER_IMAGE"} "$CONTEXT" >&2 ||
  { [ -n "${SERVER_IMAGE:-}" ] || echo "if the base image is missing, prepare it with: npx stagecraft doctor --fix" >&2; exit 1; }
echo "$WHAT: sending to $HOST" >&2
docker save "$TAG" | docker --host "$engine" load > /dev/null
is_there || { echo "the $WHAT $TAG was not transferred to $HOST completely; run this again" >&2; exit 1; }
