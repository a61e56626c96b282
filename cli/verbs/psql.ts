import { databaseRoles } from "../../model/roles/names";
import { inspectContainers } from "../../engine/containers";
import { dockerOnTerminal } from "../../engine/run";
import { Problem, Rejection } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import type { StackName } from "../project/stacks";

/**
 * `stagecraft psql`: psql in the server's container, as the database's owner.
 *
 * It connects over the socket as `postgres`, which needs no password there, and sets the owner's role at once, so no
 * password is sent. This is not a security boundary: anyone who can run `docker exec` is a superuser anyway.
 * Returns psql's exit status.
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
      `${stack} is not running${container ? ` (its container is ${container.state})` : ""}`,
      `npm start -- ${stack}`,
    );
  }
  if (database === undefined)
    throw new Rejection(`Pulumi.${stack}.yaml has no database.name`, "npx stagecraft doctor");
  return dockerOnTerminal(host, psqlCommand(names.postgres, database, args));
}

/** Docker's arguments for a psql session as the owner of a database. */
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
    // A leading -- separates psql's arguments from ours; psql would read what follows it as names.
    ...(args[0] === "--" ? args.slice(1) : args),
  ];
}

/** In PGOPTIONS a space ends a value and a backslash escapes the next character (PostgreSQL manual, 32.1.2, `options`). */
function escapeOption(value: string): string {
  return value.replace(/[\\\s]/g, "\\$&");
}

/** libpq reads a name with `=` or `://` as a connection string (PostgreSQL manual, 32.1.1). */
function connectionString(database: string): string {
  return `dbname='${database.replace(/[\\']/g, "\\$&")}'`;
}
