import { z } from "zod";
import { preserveRuleSchema, type PreserveRule } from "../preserve/protocol";

const entrySchema = z.unknown().transform((entry, context): PreserveRule => {
  const section = typeof entry === "string" ? { table: entry } : entry;
  const { success, data } = preserveRuleSchema.safeParse(section);
  if (success) return data;
  // What was given is put behind it, unless it is a section.
  const given = typeof entry === "object" ? `, got ${JSON.stringify(entry)}` : "";
  context.addIssue(
    `must be the name of a table, or a section like { table: users, where: "is_tester" }${given}`,
  );
  return z.NEVER;
});

/** The stack file's `database.keep`: names of tables, or a table and which of its rows. */
export const preservedTablesSchema = z.array(entrySchema, {
  error: "must be a list of tables",
});
