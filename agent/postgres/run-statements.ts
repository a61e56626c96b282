import type { Client, DatabaseError } from "pg";
import { describeStatement } from "../../model/dump/statement";
import { SqlReader, type SqlToken } from "../../model/dump/sql-reader";
import { isRestrictCommand } from "../../model/upgrades/script-text";
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
  const reader = new SqlReader();
  let copy: { statement: RawStatement; sql: string; line: number } | undefined;
  for (const token of readWhole(reader, text)) {
    switch (token.type) {
      case "comment":
        break;
      case "rows":
        await copy?.statement.write(token.bytes);
        break;
      case "end of rows":
      case "unfinished": {
        if (!copy) break;
        if (token.type === "end of rows") copy.statement.endRows();
        else copy.statement.rejectRows("the closing line \\. is missing");
        const { statement, sql, line } = copy;
        copy = undefined;
        if (!(await mayContinue(statement, sql, line, onRejected))) return;
        break;
      }
      case "meta":
        if (isRestrictCommand(token.text)) break;
        throw new Error(`line ${token.line}: ${token.text} is a psql command`);
      case "statement": {
        const sql = token.bytes.toString("utf8");
        if (skip(sql)) break;
        const statement = RawStatement.send(client, token.bytes);
        const expected = await statement.expectedRows;
        if (expected === "text") {
          reader.rowsFollow = true;
          copy = { statement, sql, line: token.line };
          break;
        }
        if (expected === "binary") statement.rejectRows("rows in binary format are not supported");
        const ending = await statement.result;
        // The rows of a rejected COPY are skipped.
        if (!("error" in ending)) reader.rowsFollow = false;
        if (!(await mayContinue(statement, sql, token.line, onRejected))) return;
      }
    }
  }
}

/** Reads a whole text; between tokens, `rowsFollow` of the `SqlReader` may be set. */
function* readWhole(reader: SqlReader, text: string): Generator<SqlToken, void, undefined> {
  yield* reader.push(Buffer.from(text));
  yield* reader.finish();
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
