import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { engineLabels } from "../../model/base/engine-names";
import { createdLabel, type ReplaceablePart, type ObservedState } from "./server-state";

type Labels = docker.types.input.ContainerLabel[];

/** The server whose parts are labelled. */
export interface LabelledServer {
  readonly namePrefix: string;
  readonly server: string;
  readonly observed: Promise<ObservedState>;
}

/** Labels on everything that belongs to a server, in the provider's form. */
export function serverLabels({ namePrefix, server }: LabelledServer): Labels {
  const labels = Object.entries(engineLabels(namePrefix, server));
  return labels.map(([label, value]) => ({ label, value }));
}

/** Labels of a replaceable part: when it is missing or stopped, another creation time makes Pulumi replace it. */
export function replaceableLabels(
  server: LabelledServer,
  part: ReplaceablePart,
): pulumi.Output<Labels> {
  return pulumi
    .output(server.observed)
    .apply(({ createdAt }) => [
      ...serverLabels(server),
      { label: createdLabel, value: createdAt[part] },
    ]);
}
