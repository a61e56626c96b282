import { databaseRoles } from "../../../model/roles/names";
import { renderOptions, type SessionSettings } from "../../postgres/connect";
import { runPsqlOnTerminal } from "../../postgres/psql-on-terminal";
import { connectToInstance, requireInstance, instanceEnvironment } from "./instance";
import { ensureInstanceRuns } from "./postmaster";

/**
 * Runs psql on the recovery instance in this terminal; returns its exit status. The sessions are read-only, and those of
 * the database's read-only role, so that no code in the database runs as a superuser in the agent's container.
 */
export async function instancePsql(server: string, args: readonly string[]): Promise<number> {
  const instance = await requireInstance(server);
  await ensureInstanceRuns();
  const [database = instance.databases[0]?.name ?? "postgres", ...rest] = args;
  const environment = { ...instanceEnvironment(), PGDATABASE: database };
  const { readonly } = databaseRoles(database);
  const own = (await canLogIn(readonly))
    ? { PGUSER: readonly, PGOPTIONS: renderOptions(readOnly) }
    : { PGOPTIONS: renderOptions({ ...readOnly, ...withoutRole }) };
  return runPsqlOnTerminal(rest, { ...environment, ...own });
}

const readOnly: SessionSettings = { default_transaction_read_only: "on" };

/** For a database that has no read-only role: the superuser's session, whose names are those of PostgreSQL first. */
const withoutRole: SessionSettings = { search_path: "pg_catalog, public", event_triggers: "off" };

async function canLogIn(role: string): Promise<boolean> {
  const client = await connectToInstance("postgres");
  try {
    const { rowCount } = await client.query(
      "SELECT FROM pg_roles WHERE rolname = $1 AND rolcanlogin AND NOT rolsuper",
      [role],
    );
    return rowCount === 1;
  } finally {
    await client.end();
  }
}
