import { z } from "zod";
import { scriptLabel } from "../upgrades/script";
import type { PreparationReport } from "./preparation";

const count = z.number().int().nonnegative();

/** Maximum number of list entries: Pulumi's command plugin accepts no line over 64 KiB. The agent's report has all entries. */
const shown = 50;

/** Maximum number of characters of a name. */
const longest = 120;

/** Summary of a preparation, short enough for a stack output; it contains no values from the data. */
export const restoreSummarySchema = z.strictObject({
  /** Upgrade scripts that were applied, in order. */
  upgrades: z.array(z.string()),
  masked: z.strictObject({ columns: count, tables: count, values: count }).optional(),
  /** Defuse statements, with the number of rows they changed. */
  defused: z.array(z.strictObject({ name: z.string(), rows: count })),
  /** Preserved tables, with the number of rows, of rows carried over, and of rows skipped because they no longer fit. */
  kept: z.array(z.strictObject({ table: z.string(), rows: count, carried: count, aside: count })),
  /** Number of entries omitted from these lists. */
  more: count,
});
export type RestoreSummary = z.infer<typeof restoreSummarySchema>;

/** Summarizes the result of a preparation. */
export function summarizeRestore({
  upgrades,
  masks,
  defuse,
  keep,
}: PreparationReport): RestoreSummary {
  const applied = upgrades?.applied ?? [];
  const statements = defuse?.statements ?? [];
  const tables = keep?.tables ?? [];
  const omitted = [applied, statements, tables].map(({ length }) => Math.max(0, length - shown));
  return {
    upgrades: applied.slice(0, shown).map((script) => short(scriptLabel(script))),
    ...(masks && {
      masked: {
        columns: masks.columns.length,
        tables: masks.tables.length,
        values: masks.values,
      },
    }),
    defused: statements.slice(0, shown).map(({ name, rows }) => ({ name: short(name), rows })),
    kept: tables.slice(0, shown).map(({ table, rows, carried, aside }) => ({
      table: short(table),
      rows,
      carried,
      aside: aside.reduce((sum, { rows: put }) => sum + put, 0),
    })),
    more: omitted.reduce((sum, n) => sum + n, 0),
  };
}

function short(name: string): string {
  return name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
}
