import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { relative } from "node:path";
import { localHost } from "../../model/base/host";
import { packageFolder } from "../../tools/folders";
import { serverImage } from "../../tools/server-image";
import { engineOverSsh } from "./host";
import type { ObservedState } from "./server-state";

/** Where the image is needed. */
interface ImageTarget {
  /** The host whose engine needs it. */
  readonly host: string;
  readonly observed: Promise<ObservedState>;
}

/** The image on an engine, and when it is usable. */
interface AvailableImage {
  /** Its tag. */
  readonly image: string;
  /** Done when it is on the engine. */
  readonly ready: pulumi.Resource;
}

/** Builds or loads the image with PostgreSQL and the agent. It stays on the engine, because other servers use it too. */
export function ensureImage(
  name: string,
  { host, observed }: ImageTarget,
  { parent, dependsOn }: pulumi.CustomResourceOptions,
): AvailableImage {
  const { tag, context } = serverImage(packageFolder());
  const ready = new command.local.Command(
    name,
    {
      create: host === localHost ? build() : load(build(), "server image"),
      environment: {
        TAG: tag,
        // Relative, because the state must not contain paths of this machine. Pulumi runs programs in the project folder.
        CONTEXT: relative(process.cwd(), context),
        // Recreating a container checks again that the image exists.
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

/** Build arguments of an application's image. */
export interface BuildArgs {
  /** The host whose engine needs it. */
  readonly host: string;
  readonly tag: string;
  /** The folder with its Dockerfile, relative to the program's working directory. */
  readonly context: string;
  /** The tag of the image with PostgreSQL and the agent, which its Dockerfile may use as a base. */
  readonly serverImage: string;
  /** When its container was created. */
  readonly createdAt: pulumi.Input<string>;
}

/** Builds the image of an application unless the engine has it. */
export function imageCommand(args: BuildArgs): command.local.CommandArgs {
  const { host, tag, context, serverImage: base, createdAt } = args;
  const make = build('--build-arg SERVER_IMAGE="$SERVER_IMAGE" ');
  return {
    create: host === localHost ? make : load(make, "application's image"),
    environment: {
      ...{ TAG: tag, CONTEXT: context, SERVER_IMAGE: base, MADE: createdAt },
      ...(host !== localHost && { HOST: host }),
    },
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  };
}

// With the same builder as the set-up (cli/server/server-image.ts): the provider's builder shares no cache with it, so the
// image would be built twice.
const build = (options = ""): string =>
  `docker image inspect "$TAG" > /dev/null 2>&1 || DOCKER_BUILDKIT=0 docker build --tag "$TAG" ${options}"$CONTEXT" >&2`;

// Built here, because the other machine may not reach the package registries.
const load = (make: string, what: string): string => `set -eu
engine=$(${engineOverSsh()} "$HOST")
is_there() { docker --host "$engine" image inspect "$TAG" > /dev/null 2>&1; }
if is_there; then exit; fi
${make}
echo "${what}: sending to $HOST" >&2
docker save "$TAG" | docker --host "$engine" load > /dev/null
is_there || { echo "the ${what} $TAG was not transferred to $HOST completely; run this again" >&2; exit 1; }`;
