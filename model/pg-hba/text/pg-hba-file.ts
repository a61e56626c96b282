import type { PgHbaRule } from "../rule/rule";
import type { LogicalLine } from "./lines";

/** A rule with its location. */
export interface LocatedRule extends PgHbaRule {
  readonly file: string;
  readonly line: number;
}

/** One logical line of a file. */
export interface PgHbaLine extends LogicalLine {
  /** The rule as written, `@file` not replaced; absent for comments, blank lines, includes and invalid lines. */
  readonly rule?: PgHbaRule;
}
export interface PgHbaFile {
  readonly name: string;
  readonly lines: readonly PgHbaLine[];
}
