import { z } from "zod";
import { keepTableSchema, type KeepTable } from "./protocol";

/** The stack file's `database.keep`: names of tables, or a table and which of its rows. */
export const keepSettingsSchema = z.array(
  z
    .union([z.string().min(1), keepTableSchema], {
      error: 'must be the name of a table, or a section like { table: users, where: "is_tester" }',
    })
    .transform((entry): KeepTable => (typeof entry === "string" ? { table: entry } : entry)),
);
