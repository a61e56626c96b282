import type { Client } from "pg";
import type { MaskPlan } from "../../../model/masks/plan";
import { quoteIdentifier as q, quoteLiteral } from "../../../model/base/sql";
import { maskFailure } from "./failure";

type Keys = MaskPlan["foreignKeys"];

/** Drops those of the foreign keys that exist, because a referenced table cannot be truncated. Returns them. */
export async function dropForeignKeys(client: Client, keys: Keys): Promise<Keys> {
  const { rows } = await client.query<{ table: number; name: string }>(
    "SELECT conrelid::int8::float8 AS table, conname AS name FROM pg_constraint WHERE contype = 'f'",
  );
  const present = new Set(rows.map(({ table, name }) => JSON.stringify([table, name])));
  const dropped = keys.filter(({ table, name }) => present.has(JSON.stringify([table, name])));
  await client.query("BEGIN");
  for (const { on, name } of dropped)
    await client.query(`ALTER TABLE ${on} DROP CONSTRAINT ${q(name)}`);
  await client.query("COMMIT");
  return dropped;
}

/** Recreates foreign keys as they were; PostgreSQL checks every row. */
export async function recreateForeignKeys(client: Client, keys: Keys): Promise<void> {
  for (const { on, name, title, definition, comment } of keys) {
    try {
      await client.query(`ALTER TABLE ${on} ADD CONSTRAINT ${q(name)} ${definition}`);
      if (comment !== null)
        await client.query(`COMMENT ON CONSTRAINT ${q(name)} ON ${on} IS ${quoteLiteral(comment)}`);
    } catch (error) {
      throw maskFailure(`the foreign key ${name} of ${title} does not hold after masking`, error);
    }
  }
}
