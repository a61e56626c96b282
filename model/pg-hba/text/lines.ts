/** One logical line: a line joined with its continuation lines. */
export interface LogicalLine {
  /** Number of its first physical line, from 1. */
  readonly number: number;
  /** The unchanged text with line breaks; all of them concatenated are the file. */
  readonly raw: string;
  /** Without line breaks and the backslashes before them. */
  readonly text: string;
}

/** Splits a file into logical lines. A backslash at the end of a line joins it with the next one, also in comments and quotes. */
export function splitLines(file: string): readonly LogicalLine[] {
  const lines: LogicalLine[] = [];
  const parts = file.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let number = 1;
  let text = "";
  let raw = "";
  // Length of the text at the last continuation: a backslash before it does not continue the line again.
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
