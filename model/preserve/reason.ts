import type { KeepReason } from "./protocol";

/** Why a row does not fit, by PostgreSQL's SQLSTATE (PostgreSQL manual, appendix A). */
export function reasonOf(sqlstate: string): KeepReason {
  const known = reasons[sqlstate];
  if (known !== undefined) return known;
  // Class 22 are values that a type does not take: too long, out of range, not a number.
  return sqlstate.startsWith("22") ? "wrong type" : "other";
}

const reasons: Readonly<Record<string, KeepReason>> = {
  "23505": "unique conflict",
  "23P01": "unique conflict",
  "23503": "missing target",
  "23502": "null not allowed",
  "23514": "check violated",
  "42P01": "missing table",
};
