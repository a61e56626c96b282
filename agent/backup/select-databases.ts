import type { Client } from "pg";
import { isStagecraftCopy } from "../../model/base/names";
import { withConnection } from "../postgres/connect";
import { AgentError } from "../system/errors";

/** Database names shown in an error. */
const shownNames = 10;

/** A database to back up or to maintain. */
export interface SelectedDatabase {
  readonly name: string;
  readonly bytes: number;
}

/**
 * The databases of a job: the named ones, or all except templates, Stagecraft's own copies and an empty `postgres`.
 * Throws an {@link AgentError} when a named database does not exist.
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
    const isUsed =
      all.some(({ name }) => name === "postgres") && (await withConnection("postgres", hasObjects));
    return all.filter(({ name }) => (name === "postgres" ? isUsed : !isStagecraftCopy(name)));
  }
  const missing = named.filter((name) => !all.some((found) => found.name === name));
  if (missing.length > 0) {
    const names = all.map(({ name }) => name);
    const shown = [...names.slice(0, shownNames), ...(names.length > shownNames ? ["…"] : [])].join(
      ", ",
    );
    throw new AgentError(
      `no database ${missing.join(", ")}; the server has ${shown}; correct databases of the job, or remove it to select all databases`,
    );
  }
  return all.filter(({ name }) => named.includes(name));
}

/** Whether the connected database has any tables, views, sequences or large objects. */
async function hasObjects(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ used: boolean }>(`
    SELECT EXISTS (SELECT FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'm', 'v', 'f', 'S')
                     AND relpersistence <> 't' AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_'))
        OR EXISTS (SELECT FROM pg_largeobject_metadata) AS used`);
  return rows[0]?.used ?? false;
}
