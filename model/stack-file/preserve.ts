import { z } from "zod";
import { preserveRuleSchema, type PreserveRule } from "../preserve/protocol";

const entrySchema = z.unknown().transform((entry, context): PreserveRule => {
  const section = typeof entry === "string" ? { table: entry } : entry;
  const { success, data } = preserveRuleSchema.safeParse(section);
  if (success) return data;
  // The given value is appended to messages unless it is an object.
  const given = typeof entry === "object" ? `, got ${JSON.stringify(entry)}` : "";
  context.addIssue(
    `must be the name of a table, or a section like { table: users, where: "is_tester" }${given}`,
  );
  return z.NEVER;
});

/** Preserved tables: the stack file's `database.keep`, names of tables, or tables with a condition on their rows. */
export const preservedTablesSchema = z.array(entrySchema, {
  error: "must be a list of tables",
});
