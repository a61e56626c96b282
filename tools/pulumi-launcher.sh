#!/bin/bash
# Stagecraft's launcher of Pulumi: inside a Stagecraft project it sets the passphrase file, the project's own state
# folder and a supported Node; elsewhere it only starts Pulumi.
set -euo pipefail

home=${PULUMI_HOME:-$HOME/.pulumi}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/stagecraft

# The folder where Pulumi looks for its project: the current one, or that of -C.
folder=$PWD
for ((i = 1; i <= $#; i++)); do
  case ${!i} in
    -C | --cwd) next=$((i + 1)) && folder=$(cd "${!next:-.}" 2>/dev/null && pwd || echo "$PWD") ;;
    --cwd=*) folder=$(cd "${!i#--cwd=}" 2>/dev/null && pwd || echo "$PWD") ;;
  esac
done
while [[ -n $folder && ! -f $folder/Pulumi.yaml ]]; do folder=${folder%/*}; done

if [[ -n $folder && -f $folder/.stagecraft/passphrase ]]; then
  if [[ -z ${PULUMI_CONFIG_PASSPHRASE+set}${PULUMI_CONFIG_PASSPHRASE_FILE+set} ]]; then
    export PULUMI_CONFIG_PASSPHRASE_FILE=$folder/.stagecraft/passphrase
  fi
  # A relative backend is relative to the project's folder, not to the current one.
  if [[ -z ${PULUMI_BACKEND_URL+set} && $(<"$folder/Pulumi.yaml") =~ url:\ *[\"\']?file://\./([^[:space:]\"\']+) ]]; then
    export PULUMI_BACKEND_URL=file://$folder/${BASH_REMATCH[1]}
  fi
  # Pulumi would download a missing plugin without comparing a checksum.
  export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=${PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION:-true}
  # Pulumi's Docker provider does not follow a Docker context.
  if [[ -z ${DOCKER_HOST:-} && ${DOCKER_CONTEXT:-default} != default ]] &&
    engine=$(docker context inspect --format '{{.Endpoints.docker.Host}}' "$DOCKER_CONTEXT" 2>/dev/null); then
    export DOCKER_HOST=$engine
  fi
  # The SDK from one file, which is loaded faster.
  if [[ -z ${PULUMI_LANGUAGE_NODEJS_RUN_PATH+set} && -f $folder/program/run.js ]]; then
    export PULUMI_LANGUAGE_NODEJS_RUN_PATH=$folder/program/run.js
  fi
  export NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$cache/compiled}
  if [[ -x $cache/node/bin/node ]]; then
    version=$(node --version 2>/dev/null || true)
    version=${version#v}
    if ((${version%%.*} + 0 < 22)); then PATH=$cache/node/bin:$PATH; fi
  fi
fi

export USER=${USER:-uid-$EUID} # Pulumi requires it if the user id has no account
# Pulumi and its plugins run for seconds: frequent garbage collection would take a tenth of their CPU time.
export GOGC=${GOGC:-400}
export PULUMI_SKIP_UPDATE_CHECK=${PULUMI_SKIP_UPDATE_CHECK:-true}
export PATH=$home/bin:$PATH
if [[ ! -x $home/bin/pulumi ]]; then
  echo "pulumi: $home/bin/pulumi does not exist; run \"npm start\" in a Stagecraft project to install it" >&2
  exit 1
fi
exec "$home/bin/pulumi" "$@"
