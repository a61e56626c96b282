import type { SkipReason } from "./protocol";

/** The reason to skip a row, from PostgreSQL's SQLSTATE (PostgreSQL manual, appendix A). */
export function skipReasonOf(sqlstate: string): SkipReason {
  const known = reasons[sqlstate];
  if (known !== undefined) return known;
  // Class 22: values that are invalid for a type, such as too long or out of range.
  return sqlstate.startsWith("22") ? "wrong type" : "other";
}

const reasons: Readonly<Record<string, SkipReason>> = {
  "23505": "unique conflict",
  "23P01": "unique conflict",
  "23503": "missing target",
  "23502": "null not allowed",
  "23514": "check violated",
  "42P01": "missing table",
};
