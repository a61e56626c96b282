import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { ServerKind } from "../model/names";
import { engineLabels, type EngineNames } from "../model/settings/engine-names";
import { externalAgentContainer, toLabels } from "./containers";
import { hostOptions } from "./host";
import { makeImage } from "./image";
import { madeLabel, type RenewedPart, type Sight } from "./machine/sight";

/** What the agent of a server elsewhere is made of. */
export interface ExternalPartsArgs {
  readonly server: string;
  readonly kind: ServerKind;
  readonly namePrefix: string;
  readonly names: EngineNames;
  /** Where the agent runs: `local` or an address. */
  readonly host: string;
  readonly sight: Promise<Sight>;
}

/** Makes image, network, volume and container of an agent whose PostgreSQL is somewhere else. */
export function makeExternalParts(
  parent: pulumi.Resource,
  { server, kind, namePrefix, names, host, sight }: ExternalPartsArgs,
): docker.Container {
  const there = hostOptions(parent, server, host);
  const labels = toLabels(engineLabels(namePrefix, server));
  // A part that is gone or stopped gets another label, and so Pulumi replaces it.
  const madeLabels = (part: RenewedPart) =>
    pulumi.output(sight).apply(({ made }) => [...labels, { label: madeLabel, value: made[part] }]);
  const { image, ready } = makeImage(`${server}-image`, { host, sight }, there);
  const network = new docker.Network(
    `${server}-network`,
    { name: names.network, labels: madeLabels("network") },
    there,
  );
  const store = new docker.Volume(`${server}-agent`, { name: names.agentVolume, labels }, there);
  const container = externalAgentContainer({ server, kind, names, image, network, store });
  return new docker.Container(
    `${server}-agent`,
    { ...container, labels: madeLabels("agent") },
    { ...there, dependsOn: ready },
  );
}
