import { createHmac } from "node:crypto";
import type { Client } from "pg";
import { innerKeySetting, outerKeySetting, purposes } from "../../../model/masks/keyed";
import { withConnection } from "../../postgres/connect";
import { withRestrictedLogin, type RestrictedLogin } from "../../postgres/restricted-login";
import { noServerLogging } from "../../postgres/no-server-logging";

/** Block size of SHA-256 in bytes, to which HMAC pads its key (RFC 2104). */
const blockBytes = 64;

/** Session settings with the key as HMAC needs it: padded, and followed by the purpose. */
export function keySettings(key: string): Record<string, string> {
  // One key per purpose: with a prefix in the text, a chosen value could collide with another purpose.
  const padded = Buffer.alloc(blockBytes);
  createHmac("sha256", "stagecraft masks").update(key).digest().copy(padded);
  const pad = (byte: number): Buffer => Buffer.from(padded.map((one) => one ^ byte));
  return Object.fromEntries([
    [outerKeySetting, pad(0x5c).toString("hex")],
    ...purposes.map((purpose) => [
      innerKeySetting(purpose),
      Buffer.concat([pad(0x36), Buffer.from(`${purpose}\0`)]).toString("hex"),
    ]),
  ]) as Record<string, string>;
}

/** Parameters with which all servers compute the same values. */
const maskingSettings = {
  synchronous_commit: "off",
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  bytea_output: "hex",
  extra_float_digits: "1",
  row_security: "off",
  maintenance_work_mem: "128MB",
  client_min_messages: "warning",
  // Computing a digest costs more than transferring a row, unlike PostgreSQL's estimate.
  max_parallel_workers_per_gather: "2",
  parallel_tuple_cost: "0",
};

/** A database to mask or defuse, without other connections. */
export interface MaskedDatabase {
  readonly database: string;
  /** The role that owns what is in it: masks and statements run with its rights. */
  readonly owner: string;
}

/** Opens sessions to mask or defuse a database, with the key of the masks or without one. */
export type OpenMaskingSession = (key?: string) => Promise<Client>;

/**
 * Calls `use` with what opens sessions of the owner, without server logging, in which no trigger or rule of the application
 * fires. The caller ends the sessions.
 */
export async function withMaskingSessions<T>(
  { database, owner }: MaskedDatabase,
  use: (open: OpenMaskingSession) => Promise<T>,
): Promise<T> {
  const settings = {
    ...noServerLogging,
    session_replication_role: "replica",
    event_triggers: "off",
  };
  const run = async (login: RestrictedLogin): Promise<T> =>
    use(async (key) => {
      const client = await login.connect(database, maskingSettings);
      try {
        // As parameters, so that pg_stat_activity does not show them either.
        for (const [name, value] of Object.entries(key === undefined ? {} : keySettings(key)))
          await client.query("SELECT set_config($1, $2, false)", [name, value]);
        return client;
      } catch (error) {
        await client.end();
        throw error;
      }
    });
  return withConnection(database, async (admin) =>
    withoutForcedPolicies(admin, async () => withRestrictedLogin({ role: owner, settings }, run)),
  );
}

/** Lets the owners of tables reach all rows during `work`, also where FORCE ROW LEVEL SECURITY applies to them. */
async function withoutForcedPolicies<T>(admin: Client, work: () => Promise<T>): Promise<T> {
  const { rows } = await admin.query<{ name: string }>(
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relforcerowsecurity",
  );
  for (const { name } of rows) await admin.query(`ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`);
  try {
    return await work();
  } finally {
    for (const { name } of rows) await admin.query(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
  }
}
