import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { ServerKind } from "../../model/base/names";
import type { EngineNames } from "../../model/base/engine-names";
import { externalAgentContainer, scratchContainer } from "./containers";
import { hostOptions } from "../engine/host";
import { ensureImage } from "../engine/image";
import type { ObservedState } from "../engine/server-state";
import { replaceableLabels, serverLabels } from "../engine/part-labels";

/** Arguments of {@link createExternalParts}. */
export interface ExternalPartsArgs {
  /** What the names of the resources begin with. */
  readonly name: string;
  /** Name of the server. */
  readonly server: string;
  readonly kind: ServerKind;
  readonly namePrefix: string;
  readonly names: EngineNames;
  /** Where the agent runs: `local`, or the address of a host. */
  readonly host: string;
  readonly observed: Promise<ObservedState>;
}

/** Memory of the scratch container, in MB: it only checks access rules. */
const trialMemory = { container: 512, sharedMemory: 64 };

/** Creates image, network, volumes and containers of an agent for an external PostgreSQL. */
export function createExternalParts(
  parent: pulumi.Resource,
  args: ExternalPartsArgs,
): docker.Container {
  const { name, server, kind, names, host, observed } = args;
  const options = hostOptions(parent, name, host);
  const { image, ready } = ensureImage(`${name}-image`, { host, observed }, options);
  const network = new docker.Network(
    `${name}-network`,
    { name: names.network, labels: replaceableLabels(args, "network") },
    options,
  );
  const labels = serverLabels(args);
  const volume = (use: string, volumeName: string) =>
    new docker.Volume(`${name}-${use}`, { name: volumeName, labels }, options);
  const store = volume("agent", names.agentVolume);
  const backups = volume("backups", names.backupsVolume);
  const scratchVolume = volume("scratch", names.scratchVolume);
  const volumes = { store, backups, scratch: scratchVolume };
  const parts = { server, kind, names, image, network, ...volumes };
  const scratch = new docker.Container(
    `${name}-scratch`,
    { ...scratchContainer(parts, trialMemory), labels: replaceableLabels(args, "scratch") },
    { ...options, dependsOn: ready },
  );
  return new docker.Container(
    `${name}-agent`,
    { ...externalAgentContainer(parts), labels: replaceableLabels(args, "agent") },
    { ...options, dependsOn: [ready, scratch] },
  );
}
