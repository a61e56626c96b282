import { DatabaseError, type Client } from "pg";
import { databaseRoles } from "../../model/roles/names";
import {
  isCustomParameter,
  mergeSettings,
  selectSettings,
  type MergedSettings,
  type SettingsPolicy,
  type SourceProperties,
  type StoredSetting,
} from "../../model/base/database-settings";
import { quoteIdentifier as q, quoteLiteral } from "../../model/base/sql";
import {
  readProperties,
  recordBrought,
  reservedPrefixes,
  resetSettings,
  settingStatement,
  withoutLogging,
  type DatabaseProperties,
} from "../postgres/database-properties";
import { noServerLogging } from "../postgres/no-server-logging";
import { withRestrictedLogin } from "../postgres/restricted-login";
import { AgentError, messageOf } from "../system/errors";
import { logLine } from "../system/progress";

/** A database that becomes the live one, and whose place it takes. */
export interface NewVersion {
  /** The live database's name. */
  readonly database: string;
  /** The database that becomes it, e.g. `<database>__incoming`. */
  readonly candidate: string;
  /** What the source says; `undefined` when it does not. */
  readonly source: SourceProperties | undefined;
  readonly policy: SettingsPolicy;
}

/**
 * Gives a candidate its parameters: those of the database that it replaces, and those that came with the contents. Returns
 * what was left out, one sentence each.
 *
 * Parameters of a source are set as the owner, whose own statements could set them too. Those of an application
 * (`app.mode`) PostgreSQL lets only a superuser set, because a library could define them later: no library of this server may.
 */
export async function applySettings(
  client: Client,
  { database, candidate, source, policy }: NewVersion,
): Promise<readonly string[]> {
  const live = await readProperties(client, database);
  const selected = source && selectSettings(source, policy);
  const merged = mergeSettings(selected?.taken, live?.settings ?? [], live?.brought ?? []);
  const notes: string[] = [];
  if (selected && selected.left.length > 0)
    logLine(`parameters of the source that are not taken over: ${selected.left.join(", ")}`);
  const applied = await setBrought(client, candidate, merged, databaseRoles(database).owner, notes);
  await setOwn(client, candidate, merged.own);
  await recordBrought(client, candidate, applied);
  return notes;
}

/** The same for a previous version that is rolled back to: its parameters came with its contents, the live database's own ones stay. */
export async function applySettingsOf(
  client: Client,
  database: string,
  copy: string,
): Promise<void> {
  const [live, previous] = [
    await readProperties(client, database),
    await readProperties(client, copy),
  ];
  if (!live || !previous) return;
  const { brought, own } = mergeSettings(previous.brought, live.settings, live.brought);
  await resetSettings(client, copy, previous.settings);
  await setOwn(client, copy, [...brought, ...own]);
  await applyOtherProperties(client, copy, live, undefined);
}

/** Connection limit, comment, labels, and whether it accepts connections: as the database that is replaced, or as the source says if there is none. */
export async function applyOtherProperties(
  client: Client,
  candidate: string,
  live: DatabaseProperties | undefined,
  source: SourceProperties | undefined,
): Promise<void> {
  const limit = live?.connectionLimit ?? source?.connectionLimit ?? -1;
  if (limit !== -1) await client.query(`ALTER DATABASE ${q(candidate)} CONNECTION LIMIT ${limit}`);
  const comment = live?.comment ?? source?.comment ?? null;
  const text = comment === null ? "NULL" : quoteLiteral(comment);
  await client.query(`COMMENT ON DATABASE ${q(candidate)} IS ${text}`);
  for (const { provider, label } of live?.labels ?? []) {
    await client
      .query(
        `SECURITY LABEL FOR ${q(provider)} ON DATABASE ${q(candidate)} IS ${quoteLiteral(label)}`,
      )
      .catch((error: unknown) => {
        throw new AgentError(
          `the security label of the database cannot be kept: ${messageOf(error)}; load its provider, or remove the label`,
          { cause: error },
        );
      });
  }
  if (live?.allowsConnections === false)
    await client.query(`ALTER DATABASE ${q(candidate)} ALLOW_CONNECTIONS false`);
}

/** Sets the parameters that come with the contents; returns those that PostgreSQL accepted. */
async function setBrought(
  client: Client,
  candidate: string,
  { brought }: MergedSettings,
  owner: string,
  notes: string[],
): Promise<StoredSetting[]> {
  const applied: StoredSetting[] = [];
  if (brought.length === 0) return applied;
  const reserved = await reservedPrefixes(client);
  const options = { role: owner, settings: { ...noServerLogging, event_triggers: "off" } };
  await withRestrictedLogin(options, async (login) => {
    const session = await login.connect(candidate);
    try {
      for (const setting of brought) {
        const [prefix = ""] = setting.name.toLowerCase().split(".");
        const isApplications = isCustomParameter(setting.name) && !reserved.has(prefix);
        const statement = settingStatement(candidate, setting);
        try {
          if (isApplications) await withoutLogging(client, async () => client.query(statement));
          else await session.query(statement);
          applied.push(setting);
        } catch (error) {
          if (!(error instanceof DatabaseError)) throw error;
          // Without the value, which may be secret.
          notes.push(
            `parameter ${setting.name} of the database was left out: ${error.code === "42501" ? "only a superuser may set it" : "this server does not accept its value"}`,
          );
        }
      }
    } finally {
      await session.end().catch(() => undefined);
    }
  });
  return applied;
}

/** Sets the parameters that were set for the database here, as the role that had set them could. */
async function setOwn(
  client: Client,
  candidate: string,
  own: readonly StoredSetting[],
): Promise<void> {
  for (const setting of own) {
    try {
      await withoutLogging(client, async () => client.query(settingStatement(candidate, setting)));
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const of = setting.role === null ? "" : ` of role ${setting.role}`;
      throw new AgentError(
        `parameter ${setting.name}${of}, which is set for the database, cannot be kept (${error.code ?? "unknown"}); correct or reset it in the live database`,
        { cause: error },
      );
    }
  }
}
