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

/** What is to be put in force on the machine of a server. */
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
 * Puts `pg_hba.conf` in force by SSH, in four steps: the agent has PostgreSQL read it and finds where it belongs; it takes
 * the file's place there; the agent reloads and comes in anew; and there the file from before goes, or comes back.
 */
export function remotePgHba(parent: pulumi.Resource, name: string, args: RemotePgHbaArgs): void {
  const { server, text, sha256, required, ssh, after } = args;
  const isAsWanted = ({ pgHba }: { readonly pgHba: { readonly sha256: string } }): boolean =>
    pgHba.sha256 === sha256;
  const request = text.apply((text) => JSON.stringify({ server: server.server, text, required }));
  const ask = (verb: string): command.local.CommandArgs =>
    agentCommand(server, { area: "pg-hba", verb, request, isUpToDate: isAsWanted });
  // Whatever is done again is done again as a whole.
  const generation = generationOf(server, "pg-hba", isAsWanted);
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
  // Whenever the file has been put there anew, it must be tried anew, also when all else is the same.
  const moment = placed.stdout.apply((stdout) => stdout.trim());
  const { environment = {}, ...rest } = ask("pg-hba-try");
  const tried = new command.local.Command(
    `${name}-try`,
    {
      ...rest,
      environment: pulumi
        .all([environment, moment])
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
    there(settleScript, pulumi.interpolate`${where}${moment}\n${verdict}`),
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
