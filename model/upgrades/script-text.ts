import { SqlReader, type SqlToken } from "../dump/sql-reader";

/** Properties of a script and its problems, which begin with the line. */
export interface ScriptFacts {
  /** False for a script with `-- stagecraft: no transaction` before its first statement. */
  readonly inTransaction: boolean;
  readonly problems: readonly string[];
}

/** Checks a script without running it, so that problems are found before any change. */
export function inspectScript(text: string): ScriptFacts {
  const problems: string[] = [];
  const controls: { word: string; line: number; index: number }[] = [];
  let inTransaction = true;
  let statements = 0;
  for (const token of tokensOf(text)) {
    if (token.type === "comment" && statements === 0) {
      const directive = /^--\s*stagecraft:\s*(.*?)\s*$/i.exec(token.text)?.[1];
      if (directive === undefined) continue;
      if (directive.toLowerCase() === "no transaction") inTransaction = false;
      else
        problems.push(
          `line ${token.line}: unknown directive "-- stagecraft: ${directive}"; only "-- stagecraft: no transaction" is supported`,
        );
    } else if (token.type === "meta" && !isRestrictCommand(token.text)) {
      const [command = ""] = token.text.split(/\s/);
      problems.push(
        `line ${token.line}: ${command} is a psql command, but psql does not run upgrade scripts; write it in SQL`,
      );
    } else if (token.type === "statement") {
      const word = transactionControl(token.bytes.toString("utf8"));
      if (word !== undefined) controls.push({ word, line: token.line, index: statements });
      statements++;
    } else if (token.type === "unfinished") {
      problems.push(
        token.what === "rows"
          ? `line ${token.line}: the file ends within the rows of a COPY; add the closing line \\.`
          : `line ${token.line}: the file ends within a statement; add the missing semicolon, quote or parenthesis`,
      );
    }
  }
  const controlProblems = inTransaction
    ? controls.filter((control) => !isRedundantControl(control, statements)).map(splitsTransaction)
    : unclosedTransaction(controls);
  return { inTransaction, problems: [...problems, ...controlProblems] };
}

/** Splits a script into tokens. */
function* tokensOf(text: string): Generator<SqlToken, void, undefined> {
  const reader = new SqlReader();
  yield* reader.push(Buffer.from(text));
  yield* reader.finish();
}

/** The command of a statement that begins or ends a transaction; `undefined` for any other statement. */
export function transactionControl(statement: string): string | undefined {
  const word =
    /^(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|PREPARE\s+TRANSACTION)\b/i.exec(
      statement,
    )?.[0];
  if (word === undefined) return undefined;
  if (/^ROLLBACK(?:\s+(?:WORK|TRANSACTION))?\s+TO\b/i.test(statement)) return undefined;
  return word.toUpperCase().replace(/\s+/g, " ");
}

/** Whether a psql command is pg_dump's `\restrict` or `\unrestrict`, which is ignored. */
export function isRestrictCommand(command: string): boolean {
  return /^\\(?:un)?restrict\b/.test(command);
}

/** Whether a control statement is a BEGIN before all or a COMMIT after all other statements, which is redundant. */
function isRedundantControl(
  { word, index }: { readonly word: string; readonly index: number },
  statements: number,
): boolean {
  if (word === "BEGIN" || word === "START TRANSACTION") return index === 0;
  return (word === "COMMIT" || word === "END") && index === statements - 1;
}

function splitsTransaction({
  word,
  line,
}: {
  readonly word: string;
  readonly line: number;
}): string {
  return `line ${line}: ${word} would split the script's transaction; remove it, or begin the script with "-- stagecraft: no transaction"`;
}

function unclosedTransaction(
  controls: readonly { readonly word: string; readonly line: number }[],
): string[] {
  const last = controls.at(-1);
  if (last?.word !== "BEGIN" && last?.word !== "START TRANSACTION") return [];
  return [`line ${last.line}: ${last.word} opens a transaction that the script does not end`];
}
