import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { relative } from "node:path";
import { localHost } from "../model/host";
import { serverImage } from "../tools/server-image";
import type { Sight } from "./machine/sight";

/** Which image it is to be. */
interface ImagePlace {
  /** The host whose engine is to have it. */
  readonly host: string;
  readonly sight: Promise<Sight>;
}

/** The image on an engine. */
interface ServerImageThere {
  /** Its id, or on another machine its tag. */
  readonly image: pulumi.Input<string>;
  /** Done when it is there. */
  readonly ready: pulumi.Resource;
}

/** Sees to the image with PostgreSQL and the agent; it stays on the engine, because other servers use it too. */
export function makeImage(
  name: string,
  { host, sight }: ImagePlace,
  options: pulumi.CustomResourceOptions,
): ServerImageThere {
  const project = process.cwd(); // Pulumi runs every program in its project folder.
  const { tag, context: folder } = serverImage(project);
  const context = relative(project, folder);
  if (host === localHost) {
    // The classic builder, like the set-up: engines without buildx have no other, and the two share no cache.
    const build = { context, useLegacyBuilder: true };
    const ready = new docker.RemoteImage(name, { name: tag, build, keepLocally: true }, options);
    return { image: ready.imageId, ready };
  }
  // Whoever makes a container anew looks again whether the image is there.
  const made = pulumi.output(sight).apply(({ made }) => `${made.postgres} ${made.agent}`);
  const ready = new command.local.Command(
    name,
    {
      create: load,
      environment: { HOST: host, TAG: tag, CONTEXT: context, CONTAINERS: made },
      logging: command.local.Logging.Stderr,
      addPreviousOutputInEnv: false,
    },
    {
      ...(options.parent && { parent: options.parent }),
      ...(options.dependsOn && { dependsOn: options.dependsOn }),
    },
  );
  return { image: tag, ready };
}

// Built here, because what it is made of may be out of the other machine's reach.
const load = `set -eu
engine=$("$PWD/tools/engine-over-ssh.sh" "$HOST")
is_there() { docker --host "$engine" image inspect "$TAG" > /dev/null 2>&1; }
if is_there; then exit; fi
docker image inspect "$TAG" > /dev/null 2>&1 || DOCKER_BUILDKIT=0 docker build --tag "$TAG" "$CONTEXT" >&2
echo "server image: on its way to $HOST" >&2
docker save "$TAG" | docker --host "$engine" load > /dev/null
is_there || { echo "the server image $TAG did not get to $HOST whole; run this again" >&2; exit 1; }`;
