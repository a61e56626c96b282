import type { PgHbaRule } from "../rule/rule";
import type { LogicalLine } from "./lines";

/** A rule and the line it was read from. */
export interface LocatedRule extends PgHbaRule {
  readonly file: string;
  readonly line: number;
}

/** One line of a file; all of them rendered are the file, byte by byte. */
export interface PgHbaLine extends LogicalLine {
  /** The rule as it is written, with `@file` as it stands; absent for comments, blank lines, includes and mistakes. */
  readonly rule?: PgHbaRule;
}
export interface PgHbaFile {
  readonly name: string;
  readonly lines: readonly PgHbaLine[];
}
