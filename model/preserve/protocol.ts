import { z } from "zod";

/** A table, or rows of one, that a refresh carries over from the live database. */
export const keepTableSchema = z.strictObject({
  /** As SQL writes it: `testers`, `qa.sign_off`, `"Odd Name"`. */
  table: z.string().min(1),
  /** Which rows, as a condition of SQL; all when left out. */
  where: z.string().min(1).optional(),
});
export type KeepTable = z.infer<typeof keepTableSchema>;

/** Why a row could not be carried over as it was. */
export const keepReasonSchema = z.enum([
  "unique conflict",
  "missing target",
  "null not allowed",
  "check violated",
  "wrong type",
  "missing column",
  "missing table",
  "other",
]);
export type KeepReason = z.infer<typeof keepReasonSchema>;

/** What became of one table. */
export const keptTableSchema = z.strictObject({
  table: z.string(),
  /** `absent`: the live database has no such table. */
  state: z.enum(["carried over", "created", "absent"]),
  /** Rows that the live database had. */
  rows: z.number().int().nonnegative(),
  carried: z.number().int().nonnegative(),
  /** Rows that the new contents have already, column by column. */
  same: z.number().int().nonnegative(),
  /** Rows put aside, by reason. */
  aside: z.array(
    z.strictObject({
      reason: keepReasonSchema,
      rows: z.number().int().positive(),
      example: z.string(),
    }),
  ),
  /** Carried over, but for values of columns that are gone: those are put aside. */
  shortened: z.number().int().nonnegative(),
  notes: z.array(z.string()),
});
export type KeptTable = z.infer<typeof keptTableSchema>;

/** The report of what was carried over. */
export const keepReportSchema = z.strictObject({
  tables: z.array(keptTableSchema),
  /** Log of the agent that holds the rows put aside, one JSON document a line. */
  log: z.string().optional(),
  seconds: z.number().nonnegative(),
  /** For people. */
  text: z.string(),
});
export type KeepReport = z.infer<typeof keepReportSchema>;
