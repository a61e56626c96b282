import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { engineLabels } from "../../model/base/engine-names";
import { createdLabel, type ReplaceablePart, type ObservedState } from "./server-state";

type Labels = docker.types.input.ContainerLabel[];

/** Whose parts are labelled. */
export interface LabelledServer {
  readonly namePrefix: string;
  readonly server: string;
  readonly observed: Promise<ObservedState>;
}

/** Labels on everything that belongs to a server, in the form that the provider wants. */
export function serverLabels({ namePrefix, server }: LabelledServer): Labels {
  const labels = Object.entries(engineLabels(namePrefix, server));
  return labels.map(([label, value]) => ({ label, value }));
}

/** The same for a part that is made anew when it is gone or stopped: it gets another label then, and so Pulumi replaces it. */
export function renewedLabels(
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
