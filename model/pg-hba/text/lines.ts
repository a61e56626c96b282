/** One line as PostgreSQL reads it: continuation lines are joined to it. */
export interface LogicalLine {
  /** Number of its first line in the file, from 1. */
  readonly number: number;
  /** As it is in the file, with its line breaks: all of them joined are the file. */
  readonly raw: string;
  /** Without line breaks and the backslashes before them. */
  readonly text: string;
}

/** Splits a file into its lines. A backslash at the end of a line joins the next one to it, in comments and quotes too. */
export function splitLines(file: string): readonly LogicalLine[] {
  const lines: LogicalLine[] = [];
  const parts = file.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let number = 1;
  let text = "";
  let raw = "";
  // A backslash counts only behind the last continuation: two empty lines of one backslash each are two of them.
  let joinedLength = 0;
  const finish = (nextNumber: number): void => {
    lines.push({ number, raw, text });
    [number, text, raw, joinedLength] = [nextNumber, "", "", 0];
  };
  for (const [index, part] of parts.entries()) {
    raw += part;
    text = (text + part).replace(/[\r\n]+$/, "");
    if (text.length > joinedLength && text.endsWith("\\")) {
      text = text.slice(0, -1);
      joinedLength = text.length;
    } else finish(index + 2);
  }
  if (raw !== "") finish(parts.length + 1);
  return lines;
}
