import { databaseRoles } from "../../model/roles/names";
import { dockerOnTerminal, inspectContainers } from "../server/docker";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";

/**
 * `stagecraft psql`: psql in the server's container, as the database's owner.
 *
 * It connects through the socket as PostgreSQL's own user, who is let in without a password, and becomes the owner at
 * once (`role`), so no password has to travel. That is no boundary: who may use `docker exec` is superuser anyway.
 */
export async function runPsql(
  folder: string,
  stack: StackName,
  args: readonly string[],
): Promise<number> {
  const { names, host, settings } = readStackFile(folder, stack);
  const database = settings.database?.name;
  const [container] = await inspectContainers(host, [names.postgres]);
  if (container?.state !== "running") {
    throw new Problem(
      `${stack} is ${container ? container.state : "not there"}`,
      `npm start -- ${stack}`,
    );
  }
  if (database === undefined)
    throw new Problem(`Pulumi.${stack}.yaml names no database`, "npx stagecraft doctor");
  return dockerOnTerminal(host, psqlCommand(names.postgres, database, args));
}

/** The arguments of docker for a psql session as the owner of a database. */
export function psqlCommand(
  container: string,
  database: string,
  args: readonly string[],
  terminal = process.stdin.isTTY && process.stdout.isTTY,
): string[] {
  return [
    ...["exec", "--interactive", ...(terminal ? ["--tty", "--env", "TERM"] : [])],
    ...["--env", `PGOPTIONS=-c role=${escapeOption(databaseRoles(database).owner)}`],
    ...["--env", "PSQL_HISTORY=/tmp/psql_history"],
    ...[container, "psql", `--dbname=${connectionString(database)}`, "--username=postgres"],
    // It may stand before psql's own arguments, as before those of other programs; psql would take them for names then.
    ...(args[0] === "--" ? args.slice(1) : args),
  ];
}

/** In PGOPTIONS a blank ends a value and a backslash takes the next character as it is (PostgreSQL manual, 32.1.2, `options`). */
function escapeOption(value: string): string {
  return value.replace(/[\\\s]/g, "\\$&");
}

/** A name with `=` or `://` in it would be taken for a connection string (PostgreSQL manual, 32.1.1). */
function connectionString(database: string): string {
  return `dbname='${database.replace(/[\\']/g, "\\$&")}'`;
}
