import { StatementCursor } from "./statement-cursor";

/**
 * Whether a COPY statement reads rows from the client, by its text: `COPY … FROM stdin` in any spelling. PostgreSQL's
 * answer to the statement has precedence. PostgreSQL manual, COPY.
 */
export function readsStdin(copy: string): boolean {
  return behindStdin(copy) !== undefined;
}

/** Whether each line after a COPY is a row, as after those of `pg_dump`, which have no options: no CSV, no header. */
export function hasRowPerLine(copy: string): boolean {
  return behindStdin(copy)?.isAtEnd === true;
}

/** The statement from the word after STDIN; `undefined` when it does not read from the client. */
function behindStdin(copy: string): StatementCursor | undefined {
  const cursor = new StatementCursor(copy);
  if (!cursor.accept("COPY")) return undefined;
  // A schema's table may be called "from" without quotes, so the first FROM need not be the one.
  while (cursor.skipTo("FROM") !== undefined) if (cursor.accept("STDIN")) return cursor;
  return undefined;
}
