import type * as docker from "@pulumi/docker";

/** What every container of ours has: no capability, no way to more rights, and nothing to write to but its volumes. */
export const containerDefaults = {
  restart: "unless-stopped",
  readOnly: true,
  tmpfs: { "/tmp": "" },
  capabilities: { drops: ["ALL"] },
  securityOpts: ["no-new-privileges"],
  // The volumes are resources of their own.
  removeVolumes: false,
} satisfies Partial<docker.ContainerArgs>;

/** Healthy when a command of the image ends with status 0. */
export function healthcheck(...command: readonly string[]): docker.types.input.ContainerHealthcheck {
  return {
    tests: ["CMD", ...command],
    interval: "5s",
    timeout: "5s",
    retries: 6,
    startPeriod: "1m0s",
  };
}

/** A volume at its place in a container. */
export function mount(
  volume: docker.Volume,
  containerPath: string,
): docker.types.input.ContainerVolume {
  return { volumeName: volume.name, containerPath };
}

/** Labels in the form that the provider wants. */
export function toLabels(
  labels: Readonly<Record<string, string>>,
): docker.types.input.ContainerLabel[] {
  return Object.entries(labels).map(([label, value]) => ({ label, value }));
}
