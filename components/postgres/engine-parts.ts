import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { ServerKind } from "../../model/base/names";
import type { EngineNames } from "../../model/base/engine-names";
import { agentContainer, postgresContainer, type PostgresContainerArgs } from "./containers";
import { hostOptions } from "../engine/host";
import { makeImage } from "../engine/image";
import type { ObservedState } from "../engine/server-state";
import { renewedLabels, serverLabels } from "../engine/part-labels";

/** What the parts of a server on its engine are made of. */
export interface EnginePartsArgs extends PostgresContainerArgs {
  readonly server: string;
  readonly kind: ServerKind;
  readonly namePrefix: string;
  readonly names: EngineNames;
  /** Where they are: `local` or an address. */
  readonly host: string;
  /** Whether the volumes with data stay on the engine when the stack is destroyed. */
  readonly keepVolumes: boolean;
  readonly observed: Promise<ObservedState>;
  /** The volume of another server's backups, for the agent to read. */
  readonly backupsOf: string | undefined;
}

/** The two containers of a server. */
export interface EngineParts {
  /** The tag of their image. */
  readonly image: string;
  /** The network of the server. */
  readonly network: docker.Network;
  readonly postgres: docker.Container;
  readonly agent: docker.Container;
}

/** Makes image, network, volumes and containers of a server. */
export function makeEngineParts(parent: pulumi.Resource, args: EnginePartsArgs): EngineParts {
  const { server, kind, names, host, keepVolumes: retainOnDelete } = args;
  const there = hostOptions(parent, server, host);
  const labels = serverLabels(args);
  const volume = (use: string, name: string, options: pulumi.CustomResourceOptions) =>
    new docker.Volume(`${server}-${use}`, { name, labels }, options);

  const isKept = { retainOnDelete, protect: retainOnDelete };
  const data = volume("data", names.dataVolume, { ...there, ...isKept });
  // Data that is protected does not move, and says so before anything else is made elsewhere.
  const rest = retainOnDelete ? { ...there, dependsOn: data } : there;
  const run = volume("run", names.runVolume, rest);
  const store = volume("agent", names.agentVolume, { ...rest, retainOnDelete });
  const backups = volume("backups", names.backupsVolume, { ...rest, ...isKept });
  const archive = volume("archive", names.archiveVolume, { ...rest, ...isKept });
  const { image, ready } = makeImage(`${server}-image`, { host, observed: args.observed }, rest);
  const network = new docker.Network(
    `${server}-network`,
    { name: names.network, labels: renewedLabels(args, "network") },
    rest,
  );
  const volumes = { data, run, archive, store, backups };
  const place = { server, kind, names, image, network, ...volumes, backupsOf: args.backupsOf };
  const postgres = new docker.Container(
    `${server}-postgres`,
    {
      ...postgresContainer(place, args),
      labels: renewedLabels(args, "postgres"),
    },
    { ...there, dependsOn: ready },
  );
  const agent = new docker.Container(
    `${server}-agent`,
    { ...agentContainer(place), labels: renewedLabels(args, "agent") },
    { ...there, dependsOn: ready },
  );
  return { image, network, postgres, agent };
}
