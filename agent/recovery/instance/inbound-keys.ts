import { DatabaseError } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { withConnection } from "../../postgres/connect";
import { withRestrictedLogin } from "../../postgres/restricted-login";
import { messageOf } from "../../system/errors";
import type { InboundKey } from "./lost-objects";

/** SQLSTATE of a row that violates a foreign key. */
const foreignKeyViolation = "23503";

/** Adds a foreign key of another table again; returns what is left to do. */
export async function restoreKey(database: string, key: InboundKey): Promise<string[]> {
  const { schema, table, owner, name, definition } = key;
  const target = `${q(schema)}.${q(table)}`;
  const state = await withConnection(database, async (client) => {
    const { rows } = await client.query<{ hasKey: boolean | null; isSuperuser: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.conname = $3) AS "hasKey",
              coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = $4), true) AS "isSuperuser"
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
      [schema, table, name, owner],
    );
    return rows[0];
  });
  // Its own table is gone as well, or the key is there.
  if (!state || state.hasKey === true) return [];
  const statement = `ALTER TABLE ${target} ADD CONSTRAINT ${q(name)} ${definition}`;
  if (state.isSuperuser)
    return [`the foreign key ${name} of ${schema}.${table} is missing: ${statement}`];
  try {
    await withRestrictedLogin({ role: owner }, async (login) => {
      const client = await login.connect(database);
      try {
        await client.query(statement).catch(async (error: unknown) => {
          if (!(error instanceof DatabaseError) || error.code !== foreignKeyViolation) throw error;
          await client.query(`${statement} NOT VALID`);
          throw error;
        });
      } finally {
        await client.end();
      }
    });
    return [];
  } catch (error) {
    const isViolated = error instanceof DatabaseError && error.code === foreignKeyViolation;
    return isViolated
      ? [
          `the foreign key ${name} of ${schema}.${table} is back for new rows, but there are rows that violate it; correct them, then: ALTER TABLE ${target} VALIDATE CONSTRAINT ${q(name)}`,
        ]
      : [
          `the foreign key ${name} of ${schema}.${table} is missing: ${messageOf(error)}; ${statement}`,
        ];
  }
}
