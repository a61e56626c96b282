import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { relative } from "node:path";
import { engineOverSshScript } from "../../engine/engine-of-host";
import { scriptText } from "../../engine/shell-call";
import { localHost } from "../../model/base/host";
import { packageFolder } from "../../tools/folders";
import { serverImage } from "../../tools/server-image";
import buildImage from "./build-image.sh";
import sendImage from "./send-image.sh";
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
  const { create, environment } = commandOn(host, "server image");
  const ready = new command.local.Command(
    name,
    {
      create,
      environment: {
        TAG: tag,
        // Relative, because the state must not contain paths of this machine. Pulumi runs programs in the project folder.
        CONTEXT: relative(process.cwd(), context),
        // Recreating a container checks again that the image exists.
        CONTAINERS: pulumi
          .output(observed)
          .apply(({ createdAt }) => `${createdAt.postgres} ${createdAt.agent}`),
        ...environment,
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
  const { create, environment } = commandOn(host, "application's image");
  return {
    create,
    environment: {
      TAG: tag,
      CONTEXT: context,
      SERVER_IMAGE: base,
      MADE: createdAt,
      ...environment,
    },
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  };
}

/** The command's text and environment, where the image is needed on another machine. */
function commandOn(
  host: string,
  what: string,
): { create: string; environment: Record<string, string> } {
  if (host === localHost) return { create: scriptText(buildImage), environment: {} };
  const script = relative(process.cwd(), engineOverSshScript());
  return {
    create: scriptText(sendImage),
    environment: { HOST: host, WHAT: what, ENGINE_OVER_SSH: script },
  };
}
