import { carriageReturn, countNewlines, newline } from "./bytes";

/** The rows in a chunk. */
export interface RowsPart {
  /** The rows, without the closing line. */
  readonly rows: Buffer;
  /** Number of complete lines. */
  readonly count: number;
  /** Position to continue at: after the closing line, or at bytes that need the next chunk. */
  readonly next: number;
  readonly isEnd: boolean;
}

/** Reads the rows after `COPY … FROM stdin` up to the closing line `\.`. */
export class CopyRows {
  #atLineStart = true;

  /** Reads from a position to the closing line or the end of the chunk. */
  read(bytes: Buffer, from: number): RowsPart {
    let search = from;
    for (;;) {
      const found = bytes.indexOf("\\.", search, "latin1");
      if (found < 0) return this.#part(bytes, from, this.#possibleEnd(bytes, from));
      const begins = found === from ? this.#atLineStart : bytes[found - 1] === newline;
      const next = bytes[found + 2];
      const ends = next === newline || (next === carriageReturn && bytes[found + 3] === newline);
      if (begins && ends) {
        const part = this.#part(bytes, from, found);
        return { ...part, next: found + (next === newline ? 3 : 4), isEnd: true };
      }
      search = found + 1;
    }
  }

  #part(bytes: Buffer, from: number, to: number): RowsPart {
    if (to > from) this.#atLineStart = bytes[to - 1] === newline;
    const count = countNewlines(bytes, from, to);
    return { rows: bytes.subarray(from, to), count, next: to, isEnd: false };
  }

  /** Position of a possible closing line that is incomplete in this chunk, or the end of the chunk. */
  #possibleEnd(bytes: Buffer, from: number): number {
    for (let length = Math.min(3, bytes.length - from); length > 0; length--) {
      const at = bytes.length - length;
      const begins = at === from ? this.#atLineStart : bytes[at - 1] === newline;
      if (begins && "\\.\r".startsWith(bytes.toString("latin1", at))) return at;
    }
    return bytes.length;
  }
}
