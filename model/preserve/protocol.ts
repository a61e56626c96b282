import { z } from "zod";

/** A table, or some of its rows, that a refresh preserves. */
export const preserveRuleSchema = z.strictObject({
  /** In SQL notation: `testers`, `qa.sign_off`, `"Odd Name"`. */
  table: z.string().min(1),
  /** SQL condition for the rows. @default all rows */
  where: z.string().min(1).optional(),
});
export type PreserveRule = z.infer<typeof preserveRuleSchema>;

/** Why a row was skipped. */
export const skipReasonSchema = z.enum([
  "unique conflict",
  "missing target",
  "null not allowed",
  "check violated",
  "wrong type",
  "missing column",
  "missing table",
  "other",
]);
export type SkipReason = z.infer<typeof skipReasonSchema>;

/** Result for one table. */
export const preservedTableSchema = z.strictObject({
  table: z.string(),
  /** `absent`: the live database does not have this table. */
  state: z.enum(["carried over", "created", "absent"]),
  /** Rows in the live database. */
  rows: z.number().int().nonnegative(),
  carried: z.number().int().nonnegative(),
  /** Rows that are identical in the new contents. */
  same: z.number().int().nonnegative(),
  /** Skipped rows by reason. */
  aside: z.array(
    z.strictObject({
      reason: skipReasonSchema,
      rows: z.number().int().positive(),
      example: z.string(),
    }),
  ),
  /** Rows carried over without the values of removed columns; those values are in {@link preserveReportSchema}'s `log`. */
  shortened: z.number().int().nonnegative(),
  notes: z.array(z.string()),
});
export type PreservedTable = z.infer<typeof preservedTableSchema>;

/** Report of the preserved tables. */
export const preserveReportSchema = z.strictObject({
  tables: z.array(preservedTableSchema),
  /** Name of the agent's log with the skipped rows, one JSON document per line. */
  log: z.string().optional(),
  seconds: z.number().nonnegative(),
  /** Text of {@link preserveReportText}. */
  text: z.string(),
});
export type PreserveReport = z.infer<typeof preserveReportSchema>;
