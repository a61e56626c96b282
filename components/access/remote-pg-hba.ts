import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import {
  hbaLocationSchema,
  hbaTrialSchema,
  type RequiredConnection,
} from "../../model/pg-hba/rule/protocol";
import { scriptText } from "../../engine/shell-call";
import { agentCommand, generationOf } from "../engine/agent-command";
import { parseAnswer } from "../engine/check-args";
import type { AgentRef } from "../engine/server-ref";
import pgHbaFile from "./pg-hba-file.sh";
import { sshConnection, type SshArgs } from "./ssh";

/** What is applied on the machine of a server. */
export interface RemotePgHbaArgs {
  readonly server: AgentRef;
  /** The whole file. */
  readonly text: pulumi.Output<string>;
  readonly sha256: string;
  /** Connections that must work. */
  readonly required: readonly RequiredConnection[];
  readonly ssh: SshArgs;
  readonly after: pulumi.Resource;
}

/**
 * Applies `pg_hba.conf` over SSH in four steps. The agent lets PostgreSQL parse the file and finds its path. The file is
 * replaced on the machine. The agent reloads and connects again. The previous file is removed there, or restored.
 */
export function remotePgHba(parent: pulumi.Resource, name: string, args: RemotePgHbaArgs): void {
  const { server, text, sha256, required, ssh, after } = args;
  const isUpToDate = ({ pgHba }: { readonly pgHba: { readonly sha256: string } }): boolean =>
    pgHba.sha256 === sha256;
  const request = text.apply((text) => ({
    server: server.server,
    text,
    required: [...required],
  }));
  const callAgent = (verb: "pg-hba-check" | "pg-hba-try"): command.local.CommandArgs =>
    agentCommand(server, { area: "pg-hba", verb, request, isUpToDate });
  // All steps run again together.
  const generation = generationOf(server, "pg-hba", isUpToDate);
  const connection = sshConnection(ssh);
  const there = (create: string, stdin: pulumi.Input<string>): command.remote.CommandArgs => ({
    ...{ connection, create, stdin, addPreviousOutputInEnv: false },
    logging: command.remote.Logging.Stderr,
  });

  const checked = new command.local.Command(`${name}-check`, callAgent("pg-hba-check"), {
    parent,
    dependsOn: after,
  });
  const place = checked.stdout.apply((stdout) =>
    parseAnswer(server.server, hbaLocationSchema, stdout),
  );
  const where = place.apply(({ hbaFile, dataDirectory }) => `${hbaFile}\n${dataDirectory}\n`);
  const placed = new command.remote.Command(
    `${name}-place`,
    there(placeScript, pulumi.interpolate`${where}${generation}\n${text}`),
    { parent },
  );
  // A file that was replaced again must be tried again, even if nothing else changed.
  const replacedAt = placed.stdout.apply((stdout) => stdout.trim());
  const { environment = {}, ...rest } = callAgent("pg-hba-try");
  const tried = new command.local.Command(
    `${name}-try`,
    {
      ...rest,
      environment: pulumi
        .all([environment, replacedAt])
        .apply(([others, PLACED]) => ({ ...others, PLACED })),
    },
    { parent },
  );
  const verdict = tried.stdout.apply((stdout) => {
    const { outcome, text } = parseAnswer(server.server, hbaTrialSchema, stdout);
    return `${outcome}\n${text}\n`;
  });
  new command.remote.Command(
    name,
    there(settleScript, pulumi.interpolate`${where}${replacedAt}\n${verdict}`),
    {
      parent,
    },
  );
}

const script = scriptText(pgHbaFile);

/** Replaces the file, and keeps the old one beside it. */
export const placeScript = `ACTION=place\n${script}`;

/** Ends the trial: deletes the old file, or restores it and lets PostgreSQL read it again. */
export const settleScript = `ACTION=settle\n${script}`;
