import { DatabaseError, type Client } from "pg";
import {
  broughtSetting,
  parseBrought,
  renderBrought,
  settingConstants,
  type StoredSetting,
} from "../../model/base/database-settings";
import { quoteIdentifier as q, quoteLiteral, quoteParameter } from "../../model/base/sql";
import { noServerLogging } from "./no-server-logging";
import { supportedSettings } from "./connect";

/** What PostgreSQL stores of a database besides its contents, rights and owner. No dump without `--create` has it. */
export interface DatabaseProperties {
  readonly settings: readonly StoredSetting[];
  /** Those of the settings that came with the contents. */
  readonly brought: readonly StoredSetting[];
  /** -1 for no limit. */
  readonly connectionLimit: number;
  readonly allowsConnections: boolean;
  readonly comment: string | null;
  readonly labels: readonly { readonly provider: string; readonly label: string }[];
  readonly tablespace: string;
}

/** Reads the properties of a database; `undefined` when it does not exist. */
export async function readProperties(
  client: Client,
  database: string,
): Promise<DatabaseProperties | undefined> {
  const { rows } = await client.query<Omit<DatabaseProperties, "brought">>(
    `SELECT d.datconnlimit AS "connectionLimit", d.datallowconn AS "allowsConnections", t.spcname AS tablespace,
            pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
            coalesce((SELECT json_agg(json_build_object('role', r.rolname, 'name', split_part(s, '=', 1),
                        'value', substr(s, strpos(s, '=') + 1)) ORDER BY r.rolname NULLS FIRST, s)
                      FROM pg_db_role_setting c LEFT JOIN pg_roles r ON r.oid = c.setrole CROSS JOIN LATERAL unnest(c.setconfig) s
                      WHERE c.setdatabase = d.oid), '[]') AS settings,
            coalesce((SELECT json_agg(json_build_object('provider', l.provider, 'label', l.label) ORDER BY l.provider)
                      FROM pg_shseclabel l WHERE l.classoid = 'pg_database'::regclass AND l.objoid = d.oid), '[]') AS labels
     FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1`,
    [database],
  );
  const [found] = rows;
  if (!found) return undefined;
  const record = found.settings.find(({ role, name }) => role === null && name === broughtSetting);
  return { ...found, brought: parseBrought(record?.value) };
}

/** The statement that sets a parameter of a database. */
export function settingStatement(database: string, { role, name, value }: StoredSetting): string {
  const whose =
    role === null ? `DATABASE ${q(database)}` : `ROLE ${q(role)} IN DATABASE ${q(database)}`;
  const constants = settingConstants(name, value).map(quoteLiteral).join(", ");
  return `ALTER ${whose} SET ${quoteParameter(name)} = ${constants}`;
}

/** Removes the parameters of a database, except Stagecraft's records. */
export async function resetSettings(
  client: Client,
  database: string,
  settings: readonly StoredSetting[],
): Promise<void> {
  for (const { role, name } of settings) {
    if (name.startsWith("stagecraft.")) continue;
    const whose =
      role === null ? `DATABASE ${q(database)}` : `ROLE ${q(role)} IN DATABASE ${q(database)}`;
    await client.query(`ALTER ${whose} RESET ${quoteParameter(name)}`);
  }
}

/** Records which parameters of a database came with its contents. */
export async function recordBrought(
  client: Client,
  database: string,
  settings: readonly StoredSetting[],
): Promise<void> {
  const value = renderBrought(settings);
  await withoutLogging(client, async () =>
    client.query(`ALTER DATABASE ${q(database)} SET ${broughtSetting} = ${quoteLiteral(value)}`),
  );
}

/** Runs statements with values that may be secret; the server does not log them. The session is a superuser's. */
export async function withoutLogging<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    for (const [name, value] of Object.entries(supportedSettings(noServerLogging)))
      await client.query("SELECT set_config($1, $2, true)", [name, value]);
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/**
 * Prefixes of parameters that a library defines or may define once it is loaded: what they mean, only the superuser may
 * decide. Besides the extensions and libraries of this server, languages that it may get later.
 */
export async function reservedPrefixes(client: Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ prefix: string }>(
    `SELECT name AS prefix FROM pg_available_extensions
     UNION SELECT split_part(name, '.', 1) FROM pg_settings WHERE name LIKE '%.%' AND name NOT LIKE 'stagecraft.%'`,
  );
  const libraries = await client
    .query<{ prefix: string }>(
      `SELECT regexp_replace(file, '\\.(so|dylib|dll)$', '') AS prefix
       FROM pg_config() c CROSS JOIN LATERAL pg_ls_dir(c.setting) AS file WHERE c.name = 'PKGLIBDIR'`,
    )
    .catch((error: unknown) => {
      // The agent of an external server may not be a superuser.
      if (error instanceof DatabaseError) return { rows: [] };
      throw error;
    });
  const found = [...rows, ...libraries.rows].map(({ prefix }) => prefix.toLowerCase());
  return new Set([...languages, ...found]);
}

const languages = [
  ...["plpgsql", "plperl", "plperlu", "pltcl", "pltclu", "plpython", "plpython3u", "plv8", "plr"],
  ...["pljava", "plrust", "plsh", "auto_explain", "pgaudit", "sepgsql", "timescaledb", "anon"],
  ...["passwordcheck", "session_exec", "pg_cron", "cron", "basic_archive", "login_hook"],
];
