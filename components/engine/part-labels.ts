import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { engineLabels } from "../../model/base/engine-names";
import { madeLabel, type RenewedPart, type Sight } from "./server-state";

type Labels = docker.types.input.ContainerLabel[];

/** Whose parts are labelled. */
export interface LabelledServer {
  readonly namePrefix: string;
  readonly server: string;
  readonly sight: Promise<Sight>;
}

/** Labels on everything that belongs to a server, in the form that the provider wants. */
export function serverLabels({ namePrefix, server }: LabelledServer): Labels {
  const labels = Object.entries(engineLabels(namePrefix, server));
  return labels.map(([label, value]) => ({ label, value }));
}

/** The same for a part that is made anew when it is gone or stopped: it gets another label then, and so Pulumi replaces it. */
export function renewedLabels(server: LabelledServer, part: RenewedPart): pulumi.Output<Labels> {
  return pulumi
    .output(server.sight)
    .apply(({ made }) => [...serverLabels(server), { label: madeLabel, value: made[part] }]);
}
