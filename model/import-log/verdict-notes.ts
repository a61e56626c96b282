import type { Verdict } from "./verdict-schema";

/** A verdict with further notes, e.g. of steps after the import. A failed one stays failed. */
export function withNotes(verdict: Verdict, texts: readonly string[]): Verdict {
  if (texts.length === 0) return verdict;
  const notes = [...verdict.notes, ...texts.map((text) => ({ text, count: 1, examples: [] }))];
  const outcome = verdict.outcome === "passed" ? "passed with notes" : verdict.outcome;
  return { ...verdict, outcome, notes };
}
