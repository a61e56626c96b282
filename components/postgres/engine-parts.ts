import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { ServerKind } from "../../model/base/names";
import type { EngineNames } from "../../model/base/engine-names";
import {
  agentContainer,
  postgresContainer,
  scratchContainer,
  type PostgresContainerArgs,
} from "./containers";
import { hostOptions } from "../engine/host";
import { ensureImage } from "../engine/image";
import type { ObservedState } from "../engine/server-state";
import { replaceableLabels, serverLabels } from "../engine/part-labels";

/** Arguments of {@link createEngineParts}. */
export interface EnginePartsArgs extends PostgresContainerArgs {
  /** What the names of the resources begin with. */
  readonly name: string;
  /** Name of the server. */
  readonly server: string;
  readonly kind: ServerKind;
  readonly namePrefix: string;
  readonly names: EngineNames;
  /** `local`, or the address of a host. */
  readonly host: string;
  /** Whether the volumes with data stay on the engine when the stack is destroyed. */
  readonly keepVolumes: boolean;
  readonly observed: Promise<ObservedState>;
  /** The volume of another server's backups that the agent may read. */
  readonly backupsOf: string | undefined;
}

/** The containers of a server. */
export interface EngineParts {
  /** The tag of their image. */
  readonly image: string;
  /** The network of the server. */
  readonly network: docker.Network;
  readonly postgres: docker.Container;
  readonly agent: docker.Container;
}

/** Creates image, network, volumes and containers of a server. */
export function createEngineParts(parent: pulumi.Resource, args: EnginePartsArgs): EngineParts {
  const { name, server, kind, names, host, keepVolumes: retainOnDelete } = args;
  const options = hostOptions(parent, name, host);
  const labels = serverLabels(args);
  const volume = (use: string, volumeName: string, opts: pulumi.CustomResourceOptions) =>
    new docker.Volume(`${name}-${use}`, { name: volumeName, labels }, opts);

  const retained = { retainOnDelete, protect: retainOnDelete };
  const data = volume("data", names.dataVolume, { ...options, ...retained });
  // Protected data cannot move to another host: fail before anything is created there.
  const rest = retainOnDelete ? { ...options, dependsOn: data } : options;
  const run = volume("run", names.runVolume, rest);
  const store = volume("agent", names.agentVolume, { ...rest, retainOnDelete });
  const backups = volume("backups", names.backupsVolume, { ...rest, ...retained });
  const archive = volume("archive", names.archiveVolume, { ...rest, ...retained });
  const scratchVolume = volume("scratch", names.scratchVolume, rest);
  const { image, ready } = ensureImage(`${name}-image`, { host, observed: args.observed }, rest);
  const network = new docker.Network(
    `${name}-network`,
    { name: names.network, labels: replaceableLabels(args, "network") },
    rest,
  );
  const volumes = { data, run, archive, store, backups, scratch: scratchVolume };
  const parts = { server, kind, names, image, network, ...volumes, backupsOf: args.backupsOf };
  const postgres = new docker.Container(
    `${name}-postgres`,
    {
      ...postgresContainer(parts, args),
      labels: replaceableLabels(args, "postgres"),
    },
    { ...options, dependsOn: ready },
  );
  const scratch = new docker.Container(
    `${name}-scratch`,
    { ...scratchContainer(parts, args.memory), labels: replaceableLabels(args, "scratch") },
    { ...options, dependsOn: ready },
  );
  const agent = new docker.Container(
    `${name}-agent`,
    { ...agentContainer(parts), labels: replaceableLabels(args, "agent") },
    { ...options, dependsOn: [ready, scratch] },
  );
  return { image, network, postgres, agent };
}
