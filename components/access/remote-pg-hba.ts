import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import {
  hbaLocationSchema,
  hbaTrialSchema,
  type RequiredConnection,
} from "../../model/pg-hba/rule/protocol";
import { agentCommand, generationOf } from "../engine/agent-command";
import type { AgentRef } from "../engine/server-ref";
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
  const request = text.apply((text) => JSON.stringify({ server: server.server, text, required }));
  const ask = (verb: string): command.local.CommandArgs =>
    agentCommand(server, { area: "pg-hba", verb, request, isUpToDate });
  // All steps run again together.
  const generation = generationOf(server, "pg-hba", isUpToDate);
  const connection = sshConnection(ssh);
  const there = (create: string, stdin: pulumi.Input<string>): command.remote.CommandArgs => ({
    ...{ connection, create, stdin, addPreviousOutputInEnv: false },
    logging: command.remote.Logging.Stderr,
  });

  const checked = new command.local.Command(`${name}-check`, ask("pg-hba-check"), {
    parent,
    dependsOn: after,
  });
  const place = checked.stdout.apply((stdout) => hbaLocationSchema.parse(JSON.parse(stdout)));
  const where = place.apply(({ hbaFile, dataDirectory }) => `${hbaFile}\n${dataDirectory}\n`);
  const placed = new command.remote.Command(
    `${name}-place`,
    there(placeScript, pulumi.interpolate`${where}${generation}\n${text}`),
    { parent },
  );
  // A file that was replaced again must be tried again, even if nothing else changed.
  const replacedAt = placed.stdout.apply((stdout) => stdout.trim());
  const { environment = {}, ...rest } = ask("pg-hba-try");
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
    const { outcome, text } = hbaTrialSchema.parse(JSON.parse(stdout));
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

// stdin: the file's path, the data folder, something that is new whenever this is to be done again, and the rest.
const begin = `set -eu
umask 077
IFS= read -r file
IFS= read -r data
IFS= read -r round
file=$(readlink -f -- "$file")
`;

/**
 * Gives a candidate the file's place by a rename, with the file's owner and mode, and keeps the file as `.proven`. A file
 * that Stagecraft has not made is kept as `.before-stagecraft` besides, for good. stdout: the moment.
 */
export const placeScript = `${begin}if ! [ -w "$file" ] || ! [ -w "\${file%/*}" ]; then
  echo "$(id -un) may not change $file; log in as postgres or root: ssh.user" >&2
  exit 1
fi
if [ -e "$file.proven" ]; then
  echo "a change of the rules was interrupted; its rules are taken back first" >&2
  mv -f -- "$file.proven" "$file"
fi
rm -f -- "$file.candidate"
cp -p -- "$file" "$file.candidate"
cat > "$file.candidate"
if cmp -s -- "$file" "$file.candidate"; then
  rm -f -- "$file.candidate"
  date -u +%Y%m%dT%H%M%S.%NZ
  exit
fi
sync -- "$file.candidate"
case $(head -n 1 -- "$file") in
  "# Made by Stagecraft"*) ;;
  *) [ -e "$file.before-stagecraft" ] || cp -p -- "$file" "$file.before-stagecraft" ;;
esac
ln -- "$file" "$file.proven"
mv -f -- "$file.candidate" "$file"
sync -- "\${file%/*}"
date -u +%Y%m%dT%H%M%S.%NZ`;

/** Ends the trial: the file from before goes, or it comes back and PostgreSQL reads it again. */
export const settleScript = `${begin}IFS= read -r outcome
if [ "$outcome" = keep ]; then
  rm -f -- "$file.proven"
  exit
fi
if [ -e "$file.proven" ]; then
  mv -f -- "$file.proven" "$file"
  sync -- "\${file%/*}"
fi
IFS= read -r postmaster < "$data/postmaster.pid"
kill -HUP "$postmaster"
cat >&2
exit 1`;
