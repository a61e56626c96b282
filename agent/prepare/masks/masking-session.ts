import { createHmac } from "node:crypto";
import type { Client } from "pg";
import { innerKeySetting, outerKeySetting, purposes } from "../../../model/masks/keyed";
import { connect } from "../../postgres/connect";
import { noServerLogging } from "../../postgres/no-server-logging";

/** Bytes of a block of SHA-256, which HMAC fills its key up to (RFC 2104). */
const blockBytes = 64;

/** The settings that hold the key, in the form that HMAC takes it: padded, and with the purpose behind it. */
export function keySettings(key: string): Record<string, string> {
  // One key each: what is told apart by a key cannot be told apart by a text that somebody chooses.
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

/** Settings under which all servers give the same values, and no trigger or rule of the application has a say. */
const maskingSettings = {
  session_replication_role: "replica",
  synchronous_commit: "off",
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  bytea_output: "hex",
  extra_float_digits: "1",
  row_security: "off",
  maintenance_work_mem: "128MB",
  client_min_messages: "warning",
  // Digests take longer than handing a row over; PostgreSQL thinks otherwise of them.
  max_parallel_workers_per_gather: "2",
  parallel_tuple_cost: "0",
};

/** A connection to mask a database on; with the key, if any, in its settings. The caller ends it. */
export async function connectWithoutLogging(database: string, key?: string): Promise<Client> {
  const client = await connect(database, { ...noServerLogging, ...maskingSettings });
  try {
    if (key !== undefined) {
      // As parameters, so that pg_stat_activity does not show them either.
      for (const [name, value] of Object.entries(keySettings(key)))
        await client.query("SELECT set_config($1, $2, false)", [name, value]);
    }
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}
