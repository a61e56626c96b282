import { z } from "zod";
import { formatCount, formatDuration, plural } from "../base/units";

const count = z.number().int().nonnegative();

/** What was masked, for the report of a refresh. No value stands in it. */
export const masksReportSchema = z.strictObject({
  columns: z.array(
    z.strictObject({
      /** `users.email`; of a partition, its own name. */
      column: z.string(),
      /** In a few words. */
      mask: z.string(),
      /** Values that were not NULL. */
      values: count,
      /** Its share of the time its table took: all columns of a table are masked in one pass. */
      seconds: z.number().nonnegative(),
    }),
  ),
  tables: z.array(
    z.strictObject({ table: z.string(), rows: count, seconds: z.number().nonnegative() }),
  ),
  /** Values that were masked in all. */
  values: count,
  seconds: z.number().nonnegative(),
  largeObjectsRemoved: count,
  /** What somebody should know, a sentence each. */
  notes: z.array(z.string()),
});
export type MasksReport = z.infer<typeof masksReportSchema>;

/** The report in a line: `10,214,882 values masked in 12 columns of 5 tables, 21 s`. */
export function masksLine({ columns, tables, values, seconds }: MasksReport): string {
  return `${formatCount(values)} values masked in ${plural(columns.length, "column")} of ${plural(tables.length, "table")}, ${formatDuration(seconds)}`;
}
