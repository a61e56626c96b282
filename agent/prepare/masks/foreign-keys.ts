import type { Client } from "pg";
import type { MaskPlan } from "../../../model/masks/plan";
import { quoteIdentifier as q, quoteLiteral } from "../../../model/base/sql";
import { maskFailure } from "./failure";

type Keys = MaskPlan["foreignKeys"];

/** Takes foreign keys off: a table that others refer to cannot be emptied. */
export async function dropForeignKeys(client: Client, keys: Keys): Promise<void> {
  await client.query("BEGIN");
  for (const { on, name } of keys)
    await client.query(`ALTER TABLE ${on} DROP CONSTRAINT ${q(name)}`);
  await client.query("COMMIT");
}

/** Makes them again as they were; PostgreSQL looks at every row as it does so. */
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
