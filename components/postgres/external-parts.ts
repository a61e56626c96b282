import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { ServerKind } from "../../model/base/names";
import type { EngineNames } from "../../model/base/engine-names";
import { externalAgentContainer } from "./containers";
import { hostOptions } from "../engine/host";
import { makeImage } from "../engine/image";
import type { ObservedState } from "../engine/server-state";
import { renewedLabels, serverLabels } from "../engine/part-labels";

/** What the agent of a server elsewhere is made of. */
export interface ExternalPartsArgs {
  readonly server: string;
  readonly kind: ServerKind;
  readonly namePrefix: string;
  readonly names: EngineNames;
  /** Where the agent runs: `local` or an address. */
  readonly host: string;
  readonly observed: Promise<ObservedState>;
}

/** Makes image, network, volume and container of an agent whose PostgreSQL is somewhere else. */
export function makeExternalParts(
  parent: pulumi.Resource,
  args: ExternalPartsArgs,
): docker.Container {
  const { server, kind, names, host, observed } = args;
  const there = hostOptions(parent, server, host);
  const { image, ready } = makeImage(`${server}-image`, { host, observed }, there);
  const network = new docker.Network(
    `${server}-network`,
    { name: names.network, labels: renewedLabels(args, "network") },
    there,
  );
  const labels = serverLabels(args);
  const volume = (use: string, name: string) =>
    new docker.Volume(`${server}-${use}`, { name, labels }, there);
  const store = volume("agent", names.agentVolume);
  const backups = volume("backups", names.backupsVolume);
  const container = externalAgentContainer({ server, kind, names, image, network, store, backups });
  return new docker.Container(
    `${server}-agent`,
    { ...container, labels: renewedLabels(args, "agent") },
    { ...there, dependsOn: ready },
  );
}
