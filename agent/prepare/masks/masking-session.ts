import { createHmac } from "node:crypto";
import type { Client } from "pg";
import { innerKeySetting, outerKeySetting, purposes } from "../../../model/masks/keyed";
import { connect } from "../../postgres/connect";
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

/** Parameters with which all servers compute the same values, and no trigger or rule of the application fires. */
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
  // Computing a digest costs more than transferring a row, unlike PostgreSQL's estimate.
  max_parallel_workers_per_gather: "2",
  parallel_tuple_cost: "0",
};

/** Connects to a database to mask or defuse it, without server logging. The caller must end the connection. */
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
