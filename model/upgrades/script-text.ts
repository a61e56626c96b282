import { SqlReader, type SqlToken } from "../dump/sql-reader";

/** What a script says of itself, and what is wrong with it; problems name the line. */
export interface ScriptFacts {
  /** False for a script that says `-- stagecraft: no transaction` before its first statement. */
  readonly inTransaction: boolean;
  readonly problems: readonly string[];
}

/** Looks at a script without running it: what cannot be run is found before anything is touched. */
export function examineScript(text: string): ScriptFacts {
  const problems: string[] = [];
  const controls: { word: string; line: number; index: number }[] = [];
  let inTransaction = true;
  let statements = 0;
  for (const token of tokensOf(text)) {
    if (token.type === "comment" && statements === 0) {
      const told = /^--\s*stagecraft:\s*(.*?)\s*$/i.exec(token.text)?.[1];
      if (told === undefined) continue;
      if (told.toLowerCase() === "no transaction") inTransaction = false;
      else
        problems.push(
          `line ${token.line}: there is no "-- stagecraft: ${told}", only "-- stagecraft: no transaction"`,
        );
    } else if (token.type === "meta" && !isRestrict(token.text)) {
      const [command = ""] = token.text.split(/\s/);
      problems.push(
        `line ${token.line}: ${command} is a command of psql, which does not run upgrade scripts; write it in SQL`,
      );
    } else if (token.type === "statement") {
      const word = transactionControl(token.bytes.toString("utf8"));
      if (word !== undefined) controls.push({ word, line: token.line, index: statements });
      statements++;
    } else if (token.type === "unfinished") {
      problems.push(
        token.what === "rows"
          ? `line ${token.line}: the file ends within the rows of a COPY; the line \\. behind them is missing`
          : `line ${token.line}: the file ends within a statement; a semicolon, quote or parenthesis is missing before`,
      );
    }
  }
  const wrong = inTransaction
    ? controls.filter((control) => !isFrame(control, statements)).map(withinTransaction)
    : leftOpen(controls);
  return { inTransaction, problems: [...problems, ...wrong] };
}

/** The tokens of a script. */
export function* tokensOf(text: string): Generator<SqlToken, void, undefined> {
  const reader = new SqlReader();
  yield* reader.push(Buffer.from(text));
  yield* reader.finish();
}

/** The word by which a statement begins or ends a transaction; `undefined` for any other statement. */
export function transactionControl(statement: string): string | undefined {
  const word =
    /^(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|PREPARE\s+TRANSACTION)\b/i.exec(
      statement,
    )?.[0];
  if (word === undefined) return undefined;
  if (/^ROLLBACK(?:\s+(?:WORK|TRANSACTION))?\s+TO\b/i.test(statement)) return undefined;
  return word.toUpperCase().replace(/\s+/g, " ");
}

/** Whether a psql command is pg_dump's guard against others, which means nothing here. */
export function isRestrict(command: string): boolean {
  return /^\\(?:un)?restrict\b/.test(command);
}

/** A BEGIN before all and a COMMIT behind all say what is done in any case. */
function isFrame(
  { word, index }: { readonly word: string; readonly index: number },
  statements: number,
): boolean {
  if (word === "BEGIN" || word === "START TRANSACTION") return index === 0;
  return (word === "COMMIT" || word === "END") && index === statements - 1;
}

function withinTransaction({
  word,
  line,
}: {
  readonly word: string;
  readonly line: number;
}): string {
  return `line ${line}: ${word} would cut the script's one transaction in two; take it out, or begin the script with "-- stagecraft: no transaction"`;
}

function leftOpen(controls: readonly { readonly word: string; readonly line: number }[]): string[] {
  const last = controls.at(-1);
  if (last?.word !== "BEGIN" && last?.word !== "START TRANSACTION") return [];
  return [`line ${last.line}: ${last.word} opens a transaction that the script does not end`];
}
