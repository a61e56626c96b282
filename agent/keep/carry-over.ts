import type { KeepReport, KeepTable } from "../../model/keep/protocol";

/** The two databases, and who owns what is carried over. */
export interface CarryOver {
  /** The database that is replaced, e.g. `timesheets`; it is only read. */
  readonly live: string;
  /** The one that takes its place, e.g. `timesheets__incoming`. Nobody else is connected to it. */
  readonly incoming: string;
  /** The role that owns the tables. */
  readonly owner: string;
  readonly keep: readonly KeepTable[];
}

/**
 * Carries tables, or rows of them, over from the live database into the one that takes its place. Rows that do not fit
 * there are put aside in a log of the agent and told in the report. Throws an `AgentError` for a condition or a kind of
 * table that PostgreSQL refuses.
 */
export function carryOver(_: CarryOver): Promise<KeepReport> {
  throw new Error("not yet");
}
