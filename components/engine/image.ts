import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { relative } from "node:path";
import { localHost } from "../../model/base/host";
import { packageFolder } from "../../tools/folders";
import { serverImage } from "../../tools/server-image";
import { engineOverSsh } from "./host";
import type { ObservedState } from "./server-state";

/** Which image it is to be. */
interface ImagePlace {
  /** The host whose engine is to have it. */
  readonly host: string;
  readonly observed: Promise<ObservedState>;
}

/** The image on an engine. */
interface ServerImageThere {
  /** Its tag. */
  readonly image: string;
  /** Done when it is there. */
  readonly ready: pulumi.Resource;
}

/** Sees to the image with PostgreSQL and the agent; it stays on the engine, because other servers use it too. */
export function makeImage(
  name: string,
  { host, observed }: ImagePlace,
  { parent, dependsOn }: pulumi.CustomResourceOptions,
): ServerImageThere {
  const { tag, context } = serverImage(packageFolder());
  const ready = new command.local.Command(
    name,
    {
      create: host === localHost ? build() : load(build(), "server image"),
      environment: {
        TAG: tag,
        // Pulumi runs programs and plugins in the project's folder, and its state names no other of this machine.
        CONTEXT: relative(process.cwd(), context),
        // Whoever makes a container anew looks again whether the image is there.
        CONTAINERS: pulumi
          .output(observed)
          .apply(({ createdAt }) => `${createdAt.postgres} ${createdAt.agent}`),
        ...(host !== localHost && { HOST: host }),
      },
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    { ...(parent && { parent }), ...(dependsOn && { dependsOn }) },
  );
  return { image: tag, ready };
}

/** What the image of an application is built from. */
export interface BuildArgs {
  /** The host whose engine is to have it. */
  readonly host: string;
  readonly tag: string;
  /** The folder with its Dockerfile, from the program's. */
  readonly context: string;
  /** The tag of the image with PostgreSQL and the agent, which it may be built from. */
  readonly serverImage: string;
  /** When its container was made. */
  readonly made: pulumi.Input<string>;
}

/** Builds the image of an application, where the engine has it not. */
export function imageCommand(args: BuildArgs): command.local.CommandArgs {
  const { host, tag, context, serverImage: base, made } = args;
  const make = build('--build-arg SERVER_IMAGE="$SERVER_IMAGE" ');
  return {
    create: host === localHost ? make : load(make, "application's image"),
    environment: {
      ...{ TAG: tag, CONTEXT: context, SERVER_IMAGE: base, MADE: made },
      ...(host !== localHost && { HOST: host }),
    },
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  };
}

// By the builder that the set-up uses too (cli/server/server-image.ts): the provider's shares no cache with it, so that the first
// server would take the time to make the image twice.
const build = (options = ""): string =>
  `docker image inspect "$TAG" > /dev/null 2>&1 || DOCKER_BUILDKIT=0 docker build --tag "$TAG" ${options}"$CONTEXT" >&2`;

// Built here, because what it is made of may be out of the other machine's reach.
const load = (make: string, what: string): string => `set -eu
engine=$(${engineOverSsh()} "$HOST")
is_there() { docker --host "$engine" image inspect "$TAG" > /dev/null 2>&1; }
if is_there; then exit; fi
${make}
echo "${what}: on its way to $HOST" >&2
docker save "$TAG" | docker --host "$engine" load > /dev/null
is_there || { echo "the ${what} $TAG did not get to $HOST whole; run this again" >&2; exit 1; }`;
