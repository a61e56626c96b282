import type { Client, DatabaseError } from "pg";
import { describeStatement } from "../../model/dump/statement";
import { isRestrictCommand, tokensOf } from "../../model/upgrades/script-text";
import { RawStatement } from "./raw-statement";

/** A statement of an SQL text that PostgreSQL rejected. */
export interface RejectedStatement {
  /** Line of the error position in the text, from 1. */
  readonly line: number;
  /** The beginning of the statement. */
  readonly statement: string;
  readonly error: DatabaseError;
}

/** Options of {@link runStatements}. */
export interface StatementOptions {
  /** Selects statements to skip. @default none */
  readonly skip?: (statement: string) => boolean;
  /** Called for each statement that PostgreSQL rejects; returns whether to continue with the next one. */
  readonly onRejected: (rejected: RejectedStatement) => boolean;
}

/**
 * Runs an SQL text on a connection, statement by statement, with the rows of its COPY statements. `\restrict` and
 * `\unrestrict` are skipped; any other psql command throws. Stops at the first rejected statement unless `onRejected`
 * returns true.
 */
export async function runStatements(
  client: Client,
  text: string,
  { skip = () => false, onRejected }: StatementOptions,
): Promise<void> {
  let copy: { statement: RawStatement; sql: string; line: number } | undefined;
  for (const token of tokensOf(text)) {
    if (token.type === "rows") await copy?.statement.write(token.bytes);
    else if (token.type === "end of rows" && copy) {
      copy.statement.endRows();
      const finished = copy;
      copy = undefined;
      if (!(await mayContinue(finished.statement, finished.sql, finished.line, onRejected))) return;
    } else if (token.type === "meta" && !isRestrictCommand(token.text)) {
      throw new Error(`line ${token.line}: ${token.text} is a psql command`);
    } else if (token.type === "statement") {
      const sql = token.bytes.toString("utf8");
      if (skip(sql)) continue;
      const statement = RawStatement.send(client, token.bytes);
      if (await statement.expectsRows) copy = { statement, sql, line: token.line };
      else if (!(await mayContinue(statement, sql, token.line, onRejected))) return;
    }
  }
}

async function mayContinue(
  statement: RawStatement,
  sql: string,
  line: number,
  onRejected: StatementOptions["onRejected"],
): Promise<boolean> {
  const ending = await statement.result;
  if (!("error" in ending)) return true;
  const { error } = ending;
  // PostgreSQL counts characters from 1.
  const before = Array.from(sql).slice(0, Number(error.position ?? 1) - 1);
  const linesBefore = before.filter((character) => character === "\n").length;
  return onRejected({ line: line + linesBefore, statement: describeStatement(sql).excerpt, error });
}
