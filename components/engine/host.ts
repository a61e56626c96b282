import type * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { relative } from "node:path";
import { localHost } from "../../model/base/host";
import { toolsFolder } from "../../tools/folders";
import { sha256 } from "./digest";

/**
 * What brings resources to the engine of a host. A server that moves is made on the other one and taken away from this:
 * so each host has a provider of its own, and nothing is taken for what has the same name elsewhere.
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

/** A command whose docker goes to a host. */
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

// docker itself would make a connection for each call.
const reachHost = (): string => `DOCKER_HOST=$(${engineOverSsh()} "$DOCKER_HOST") || exit\n`;

/** How a command of a program names the script that leads to the engine of a host. */
export function engineOverSsh(): string {
  return `"$PWD/${relative(process.cwd(), toolsFolder("engine-over-ssh.sh"))}"`;
}

/** Options of ssh for Pulumi's provider, which runs it itself: the connection of tools/engine-over-ssh.sh, where it is. */
function sshOptions(host: string): string[] {
  const name = sha256(host).slice(0, 12);
  const settings = [
    ...["BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=10"],
    `ControlPath=~/.cache/stagecraft/ssh/${name}`,
  ];
  return settings.flatMap((setting) => ["-o", setting]);
}
