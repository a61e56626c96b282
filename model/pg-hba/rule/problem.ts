import { nearest } from "../../base/nearest";

/** A problem of a rule. PostgreSQL rejects a file with an `error`; with a `warning` it accepts it, but probably not as intended. */
export interface RuleProblem {
  readonly severity: "error" | "warning";
  /** What is wrong, with the value; after a semicolon, the fix. */
  readonly text: string;
}

/** A problem with its location. */
export interface PgHbaProblem extends RuleProblem {
  readonly file: string;
  /** Line number in the file, from 1. */
  readonly line: number;
  /** The line, with single blanks and without secrets. */
  readonly rule: string;
}

export const error = (text: string): RuleProblem => ({ severity: "error", text });
export const warning = (text: string): RuleProblem => ({ severity: "warning", text });

/** Formats a problem: `pg_hba.conf:12  host all all 10.0.0.1 md5: 10.0.0.1 has no mask; write 10.0.0.1/32`. */
export function formatProblem({ file, line, rule, text }: PgHbaProblem): string {
  return `${file}:${line}  ${rule === "" ? "" : `${rule}: `}${text}`;
}

/** Suggests the closest valid word, or lists all of them. */
export function choicesHint(word: string, known: readonly string[]): string {
  const suggestion =
    known.find((name) => word !== "" && name.startsWith(word)) ?? nearest(word, known);
  return suggestion === undefined
    ? `use one of ${known.join(", ")}`
    : `did you mean ${suggestion}?`;
}
