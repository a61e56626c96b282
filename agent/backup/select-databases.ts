import type { Client } from "pg";
import { isStagecraftCopy } from "../../model/base/names";
import { AgentError } from "../system/errors";

/** Names that an error shows of those that are there. */
const shownNames = 10;

/** A database that a backup is to have. */
export interface SelectedDatabase {
  readonly name: string;
  readonly bytes: number;
}

/**
 * The databases of a backup: those that are named, or all that are not templates. Of all, Stagecraft's own copies are
 * left out, and so is `postgres` as long as nobody has put anything into it. The connection is to `postgres`.
 */
export async function selectDatabases(
  client: Client,
  named: readonly string[] | undefined,
): Promise<SelectedDatabase[]> {
  const { rows } = await client.query<{ name: string; bytes: string }>(
    `SELECT datname AS name, pg_database_size(oid) AS bytes FROM pg_database
     WHERE datallowconn AND NOT datistemplate ORDER BY datname COLLATE "C"`,
  );
  const all = rows.map(({ name, bytes }) => ({ name, bytes: Number(bytes) }));
  if (named === undefined) {
    const isUsed = await hasObjects(client);
    return all.filter(({ name }) => (name === "postgres" ? isUsed : !isStagecraftCopy(name)));
  }
  const missing = named.filter((name) => !all.some((found) => found.name === name));
  if (missing.length > 0) {
    const names = all.map(({ name }) => name);
    const there = [...names.slice(0, shownNames), ...(names.length > shownNames ? ["…"] : [])].join(
      ", ",
    );
    throw new AgentError(
      `there is no database ${missing.join(", ")}; the server has ${there}; change databases of the job, or leave it out for all of them`,
    );
  }
  return all.filter(({ name }) => named.includes(name));
}

/** Whether somebody has made anything in the database that a connection is to. */
async function hasObjects(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ used: boolean }>(`
    SELECT EXISTS (SELECT FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'm', 'v', 'f', 'S')
                     AND relpersistence <> 't' AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_'))
        OR EXISTS (SELECT FROM pg_largeobject_metadata) AS used`);
  return rows[0]?.used ?? false;
}
