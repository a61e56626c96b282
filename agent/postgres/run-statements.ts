import type { Client, DatabaseError } from "pg";
import { describeStatement } from "../../model/dump/statement";
import { isRestrict, tokensOf } from "../../model/upgrades/script-text";
import { RawStatement } from "./raw-statement";

/** A statement of a text of SQL that PostgreSQL refused. */
export interface RejectedStatement {
  /** The line that PostgreSQL means, from 1. */
  readonly line: number;
  /** The beginning of the statement. */
  readonly statement: string;
  readonly error: DatabaseError;
}

/** How a text of SQL is run. */
export interface StatementOptions {
  /** Statements that are left out. */
  readonly skip?: (statement: string) => boolean;
  /** Hears of each statement that is refused; the rest is run when it says true. */
  readonly onRejected: (refused: RejectedStatement) => boolean;
}

/**
 * Runs a text of SQL on a connection statement by statement, with the rows of its COPY statements; commands to psql are
 * left out. Ends at the first statement that is refused, unless it is told to go on.
 */
export async function runStatements(
  client: Client,
  text: string,
  { skip = () => false, onRejected: onRefused }: StatementOptions,
): Promise<void> {
  let copy: { statement: RawStatement; sql: string; line: number } | undefined;
  for (const token of tokensOf(text)) {
    if (token.type === "rows") await copy?.statement.write(token.bytes);
    else if (token.type === "end of rows" && copy) {
      copy.statement.endRows();
      const ended = copy;
      copy = undefined;
      if (!(await mayContinue(ended.statement, ended.sql, ended.line, onRefused))) return;
    } else if (token.type === "meta" && !isRestrict(token.text)) {
      throw new Error(`line ${token.line}: ${token.text} is a command of psql`);
    } else if (token.type === "statement") {
      const sql = token.bytes.toString("utf8");
      if (skip(sql)) continue;
      const statement = RawStatement.send(client, token.bytes);
      if (await statement.expectsRows) copy = { statement, sql, line: token.line };
      else if (!(await mayContinue(statement, sql, token.line, onRefused))) return;
    }
  }
}

async function mayContinue(
  statement: RawStatement,
  sql: string,
  line: number,
  onRefused: StatementOptions["onRejected"],
): Promise<boolean> {
  const ending = await statement.result;
  if (!("error" in ending)) return true;
  const { error } = ending;
  // PostgreSQL counts characters from 1.
  const before = Array.from(sql).slice(0, Number(error.position ?? 1) - 1);
  const linesBefore = before.filter((character) => character === "\n").length;
  return onRefused({ line: line + linesBefore, statement: describeStatement(sql).excerpt, error });
}
