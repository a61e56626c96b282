import type { Client } from "pg";
import type { MaskPlan } from "../../../model/masks/plan";
import { quoteIdentifier as q, quoteLiteral } from "../../../model/base/sql";
import { maskFailure } from "./failure";

type Keys = MaskPlan["foreignKeys"];

/** Drops foreign keys, because a referenced table cannot be truncated. */
export async function dropForeignKeys(client: Client, keys: Keys): Promise<void> {
  await client.query("BEGIN");
  for (const { on, name } of keys)
    await client.query(`ALTER TABLE ${on} DROP CONSTRAINT ${q(name)}`);
  await client.query("COMMIT");
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
