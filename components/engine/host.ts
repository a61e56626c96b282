import type * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { relative } from "node:path";
import { localHost } from "../../model/base/host";
import { engineOverSshScript } from "../../engine/engine-of-host";
import { sha256 } from "./digest";

/**
 * Options that put resources on the engine of a host. A server that moves is created on the new host and deleted on the old one:
 * each host has a provider of its own, so equal names on two hosts are never confused.
 */
export function hostOptions(
  parent: pulumi.Resource,
  server: string,
  host: string,
): pulumi.CustomResourceOptions {
  const options = { parent, replacementTrigger: host };
  if (host === localHost) return options;
  const args = { host, sshOpts: sshOptions(host) };
  return { ...options, provider: new docker.Provider(`${server}-${host}`, args, { parent }) };
}

/** A command that runs docker against the engine of a host. */
export function onHost(host: string, args: command.local.CommandArgs): command.local.CommandArgs {
  if (host === localHost) return args;
  const { create = "", environment = {} } = args;
  return {
    ...args,
    create: pulumi.interpolate`${reachHost()}${create}`,
    ...(args.delete !== undefined && {
      delete: pulumi.interpolate`${reachHost()}${args.delete}`,
    }),
    environment: pulumi.output(environment).apply((others) => ({ ...others, DOCKER_HOST: host })),
  };
}

// docker itself would open a connection for each call.
const reachHost = (): string => `DOCKER_HOST=$(${engineOverSsh()} "$DOCKER_HOST") || exit\n`;

/** Shell word for the script that forwards the engine of a host. */
function engineOverSsh(): string {
  return `"$PWD/${relative(process.cwd(), engineOverSshScript())}"`;
}

/** ssh options for Pulumi's provider, which runs ssh itself: it shares the connection of engine/engine-over-ssh.sh, where it is. */
function sshOptions(host: string): string[] {
  const name = sha256(host).slice(0, 12);
  const settings = [
    ...["BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=10"],
    `ControlPath=~/.cache/stagecraft/ssh/${name}`,
  ];
  return settings.flatMap((setting) => ["-o", setting]);
}
