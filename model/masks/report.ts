import { z } from "zod";
import { formatCount, formatDuration, plural } from "../base/units";

const count = z.number().int().nonnegative();

/** Masked columns, for the report of a refresh. Contains no values. */
export const masksReportSchema = z.strictObject({
  columns: z.array(
    z.strictObject({
      /** `users.email`; a partition has its own name. */
      column: z.string(),
      /** Text of {@link describeMask}. */
      mask: z.string(),
      /** Number of masked values that were not NULL. */
      values: count,
      /** Share of the duration for its table: all columns of a table are masked in one pass. */
      seconds: z.number().nonnegative(),
    }),
  ),
  tables: z.array(
    z.strictObject({ table: z.string(), rows: count, seconds: z.number().nonnegative() }),
  ),
  /** Total number of masked values. */
  values: count,
  seconds: z.number().nonnegative(),
  largeObjectsRemoved: count,
  /** Limitations for the user, one sentence each. */
  notes: z.array(z.string()),
});
export type MasksReport = z.infer<typeof masksReportSchema>;

/** Formats the report in one line: `10,214,882 values masked in 12 columns of 5 tables, 21 s`. */
export function masksLine({ columns, tables, values, seconds }: MasksReport): string {
  return `${formatCount(values)} values masked in ${plural(columns.length, "column")} of ${plural(tables.length, "table")}, ${formatDuration(seconds)}`;
}
