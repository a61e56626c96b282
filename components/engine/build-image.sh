#!/bin/sh
# Builds an image unless the engine has it. TAG: its tag. CONTEXT: the folder. SERVER_IMAGE: a build argument, where it is set.
# By the classic builder, as the set-up (cli/server/server-image.ts): it shares no cache with BuildKit.
docker image inspect "$TAG" > /dev/null 2>&1 || DOCKER_BUILDKIT=0 docker build --tag "$TAG" ${SERVER_IMAGE:+--build-arg "SERVER_IMAGE=$SERVER_IMAGE"} "$CONTEXT" >&2 ||
  { [ -n "$SERVER_IMAGE" ] || echo "if the base image is missing, prepare it with: npx stagecraft doctor --fix" >&2; exit 1; }
