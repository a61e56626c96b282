import { z } from "zod";
import { scriptLabel } from "../upgrades/script";
import type { PreparationReport } from "./preparation";

const count = z.number().int().nonnegative();

/** Entries of a list that are told: Pulumi's command takes no line over 64 KiB. All of them are in the agent's report. */
const shown = 50;

/** Characters of a name. */
const longest = 120;

/** What was done to contents before they took the name, short enough for a stack output; no value of the data is in it. */
export const restoreSummarySchema = z.strictObject({
  /** Upgrade scripts that were applied, in order. */
  upgrades: z.array(z.string()),
  masked: z.strictObject({ columns: count, tables: count, values: count }).optional(),
  /** Statements, with the rows that they changed. */
  defused: z.array(z.strictObject({ name: z.string(), rows: count })),
  /** Tables that were carried over, with the rows that were not because they do not fit any more. */
  kept: z.array(z.strictObject({ table: z.string(), rows: count, carried: count, aside: count })),
  /** Entries that were left out of these lists. */
  more: count,
});
export type RestoreSummary = z.infer<typeof restoreSummarySchema>;

/** Sums up what was done. */
export function summarizeRestore({
  upgrades,
  masks,
  defuse,
  keep,
}: PreparationReport): RestoreSummary {
  const applied = upgrades?.applied ?? [];
  const statements = defuse?.statements ?? [];
  const tables = keep?.tables ?? [];
  const left = [applied, statements, tables].map(({ length }) => Math.max(0, length - shown));
  return {
    upgrades: applied.slice(0, shown).map((script) => short(scriptLabel(script))),
    ...(masks && {
      masked: {
        ...{ columns: masks.columns.length, tables: masks.tables.length, values: masks.values },
      },
    }),
    defused: statements.slice(0, shown).map(({ name, rows }) => ({ name: short(name), rows })),
    kept: tables.slice(0, shown).map(({ table, rows, carried, aside }) => ({
      ...{ table: short(table), rows, carried },
      aside: aside.reduce((sum, { rows: put }) => sum + put, 0),
    })),
    more: left.reduce((sum, n) => sum + n, 0),
  };
}

function short(name: string): string {
  return name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
}
