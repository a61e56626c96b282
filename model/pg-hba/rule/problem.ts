import { nearest } from "../../base/nearest";

/** Something wrong with a rule. An `error` is what PostgreSQL refuses; a `warning` it takes, but hardly as it was meant. */
export interface RuleProblem {
  readonly severity: "error" | "warning";
  /** What is wrong, with the value; then the fix, behind a semicolon. */
  readonly text: string;
}

/** A problem and the line it is about. */
export interface PgHbaProblem extends RuleProblem {
  readonly file: string;
  /** Number of the line in its file, from 1. */
  readonly line: number;
  /** The line itself, with single blanks. */
  readonly rule: string;
}

export const error = (text: string): RuleProblem => ({ severity: "error", text });
export const warning = (text: string): RuleProblem => ({ severity: "warning", text });

/** A problem as people read it: `pg_hba.conf:12  host all all 10.0.0.1 md5: 10.0.0.1 has no mask; write 10.0.0.1/32`. */
export function formatProblem({ file, line, rule, text }: PgHbaProblem): string {
  return `${file}:${line}  ${rule === "" ? "" : `${rule}: `}${text}`;
}

/** The word that was probably meant, or all there are. */
export function choices(word: string, known: readonly string[]): string {
  const meant = known.find((name) => word !== "" && name.startsWith(word)) ?? nearest(word, known);
  return meant === undefined ? `it is one of ${known.join(", ")}` : `did you mean ${meant}?`;
}
