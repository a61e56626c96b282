/** Bytes with a syntactic meaning in a plain dump. */
export const newline = 0x0a;
export const carriageReturn = 0x0d;
export const quote = 0x27;
export const doubleQuote = 0x22;
export const dollar = 0x24;
export const minus = 0x2d;
export const slash = 0x2f;
export const star = 0x2a;
export const backslash = 0x5c;
export const semicolon = 0x3b;
export const openParenthesis = 0x28;
export const closeParenthesis = 0x29;

/** Counts the newlines from `from` (inclusive) to `to` (exclusive). */
export function countNewlines(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let i = bytes.indexOf(newline, from); i >= 0 && i < to; i = bytes.indexOf(newline, i + 1)) {
    count++;
  }
  return count;
}

/** Whether a byte ends a `--` comment: a newline or a carriage return. */
export function endsComment(byte: number | undefined): boolean {
  return byte === newline || byte === carriageReturn;
}
