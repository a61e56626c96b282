import { BlockComment } from "./block-comment";
import { backslash, countNewlines, endsComment, minus, newline, semicolon } from "./bytes";
import { CopyRows } from "./copy-rows";
import { readsStdin } from "./copy-statement";
import { leadByteTest, type IsLeadByte } from "./lead-bytes";
import { StatementScanner } from "./statement-scanner";

/** A token of a plain dump, in file order. Line numbers start at 1. */
export type SqlToken =
  /** A `--` comment between statements. */
  | { readonly type: "comment"; readonly text: string; readonly line: number }
  | {
      readonly type: "statement";
      /** Without the closing semicolon, in the encoding of the file. */
      readonly bytes: Buffer;
      readonly line: number;
      readonly endLine: number;
      /** The number of rows in the VALUES of an INSERT; absent for others, and where fewer rows are no fault. */
      readonly insertedRows?: number | undefined;
    }
  /** A psql command, such as `\restrict` or `\connect`. */
  | { readonly type: "meta"; readonly text: string; readonly line: number }
  /** Some of the rows after `COPY … FROM stdin`, without the closing `\.`. */
  | { readonly type: "rows"; readonly bytes: Buffer }
  /** The closing `\.`, with the number of rows before it. */
  | { readonly type: "end of rows"; readonly rows: number; readonly line: number }
  /** The file ends within a statement or rows. */
  | { readonly type: "unfinished"; readonly what: "statement" | "rows"; readonly line: number };

type Tokens<T = void> = Generator<SqlToken, T, undefined>;

/**
 * Splits a plain dump into statements, rows and comments as `psql` does (PostgreSQL manual, 4.1 and psql), in one pass
 * over the bytes, with at most one statement in memory. Unlike `psql` it never runs a row as a statement, and it runs no
 * `\` commands.
 *
 * Pass chunks in order to {@link push}, then call {@link finish} once. The sender of the statements sets {@link rowsFollow}
 * to PostgreSQL's answer.
 */
export class SqlReader {
  /**
   * Whether rows follow the statement that was read last, on the lines after it. It is derived from the statement's text;
   * PostgreSQL's answer has precedence, and may be set here before the next token is read.
   */
  rowsFollow = false;
  #line = 1;
  /** The line on which the current statement began. */
  #firstLine = 1;
  /** Bytes of an incomplete line, or of a possible closing `\.`. */
  #waiting: Buffer[] = [];
  /** The lines of the current statement so far. */
  #parts: Buffer[] = [];
  #scanner: StatementScanner | undefined;
  #comment: BlockComment | undefined;
  #copy: CopyRows | undefined;
  #rows = 0;
  /** The line of a COPY behind its semicolon, which is read after the rows. */
  #behindCopy: { readonly bytes: Buffer; readonly line: number } | undefined;
  #standardStrings = true;
  #isLeadByte: IsLeadByte | undefined;

  /** Reads the next bytes of the file. */
  *push(chunk: Buffer): Tokens {
    if (!this.#copy && !chunk.includes(newline)) {
      this.#waiting.push(chunk);
      return;
    }
    const bytes = this.#takeWaiting(chunk);
    const lines = bytes.lastIndexOf(newline) + 1;
    let position = 0;
    while (position < bytes.length) {
      const from = position;
      if (this.#copy) position = yield* this.#readRows(this.#copy, bytes, position);
      else if (position < lines) position = yield* this.#readLines(bytes, position, lines);
      if (position === from) break;
    }
    if (position < bytes.length) this.#waiting.push(bytes.subarray(position));
  }

  /** Ends the file. */
  *finish(): Tokens {
    const rest = this.#takeWaiting(Buffer.alloc(0));
    const line = this.#line;
    if (this.#isInRows && /^\\\.\r?$/.test(rest.toString("latin1"))) {
      yield* this.#endRows();
    } else if (!this.#isInRows) {
      const lastLine = Buffer.concat([rest, Buffer.of(newline)]);
      yield* this.#readLines(lastLine, 0, lastLine.length);
    }
    if (this.#isInRows) yield { type: "unfinished", what: "rows", line };
    else if (this.#scanner ?? this.#comment) yield { type: "unfinished", what: "statement", line };
  }

  /** Reads complete lines until the rows of a COPY begin; returns the position after the last byte read. */
  *#readLines(bytes: Buffer, from: number, end: number): Tokens<number> {
    let i = from;
    while (i < end && !this.#copy) {
      const next = this.#scanner
        ? yield* this.#readStatement(this.#scanner, bytes, i, end)
        : this.#comment
          ? this.#skipComment(this.#comment, bytes, i, end)
          : yield* this.#readBetween(bytes, i, end);
      this.#line += countNewlines(bytes, i, next);
      i = next;
    }
    return i;
  }

  /** Reads what is between statements; returns the position after the last byte read. */
  *#readBetween(bytes: Buffer, from: number, end: number): Tokens<number> {
    const byte = bytes[from] as number;
    if (byte <= 0x20 || byte === semicolon) return from + 1;
    if (this.#line === 1 && byteOrderMark.includes(byte)) return from + 1;
    if (byte === minus && bytes[from + 1] === minus) {
      let stop = from;
      while (stop < end && !endsComment(bytes[stop])) stop++;
      yield { type: "comment", text: bytes.toString("utf8", from, stop), line: this.#line };
      return stop;
    }
    if (byte === backslash) {
      const stop = bytes.indexOf(newline, from);
      const text = bytes.toString("utf8", from, stop).replace(/\r$/, "");
      yield { type: "meta", text, line: this.#line };
      return stop;
    }
    if (BlockComment.beginsAt(bytes, from)) {
      this.#comment = new BlockComment();
      return from + 2;
    }
    this.#firstLine = this.#line;
    this.#scanner = new StatementScanner(this.#standardStrings, this.#isLeadByte);
    return from;
  }

  #skipComment(comment: BlockComment, bytes: Buffer, from: number, end: number): number {
    const stop = comment.read(bytes, from, end);
    if (comment.isOver) this.#comment = undefined;
    return stop;
  }

  *#readStatement(
    scanner: StatementScanner,
    bytes: Buffer,
    from: number,
    end: number,
  ): Tokens<number> {
    const found = scanner.read(bytes, from, end);
    if (found < 0) {
      this.#parts.push(bytes.subarray(from, end));
      return end;
    }
    this.#scanner = undefined;
    const isCopy = scanner.firstWord === "copy";
    const last = bytes.subarray(from, found);
    const whole = this.#parts.length > 0 ? Buffer.concat([...this.#parts, last]) : last;
    this.#parts = [];
    const text = isCopy || scanner.firstWord === "set" ? whole.toString("latin1") : "";
    const endLine = this.#line + countNewlines(bytes, from, found);
    const setting = /^SET\s+standard_conforming_strings\s*(?:=|\bTO\b)\s*'?(on|off)\b/i.exec(text);
    if (setting) this.#standardStrings = setting[1]?.toLowerCase() === "on";
    const encoding = /^SET\s+client_encoding\s*(?:=|\bTO\b)\s*'?([^\s']+)/i.exec(text)?.[1];
    if (encoding !== undefined) this.#isLeadByte = leadByteTest(encoding);
    this.rowsFollow = isCopy && readsStdin(text);
    const { insertedRows } = scanner;
    yield { type: "statement", bytes: whole, line: this.#firstLine, endLine, insertedRows };
    if (!this.rowsFollow) return found + 1;
    this.#copy = new CopyRows();
    this.#rows = 0;
    const lineEnd = bytes.indexOf(newline, found) + 1;
    this.#behindCopy = { bytes: bytes.subarray(found + 1, lineEnd), line: endLine };
    return lineEnd;
  }

  /** Reads rows until the closing `\.` or the end of the chunk; returns the position after the last byte read. */
  *#readRows(copy: CopyRows, bytes: Buffer, from: number): Tokens<number> {
    const { rows, count, next, isEnd } = copy.read(bytes, from);
    this.#rows += count;
    this.#line += count;
    if (rows.length > 0) yield { type: "rows", bytes: rows };
    if (isEnd) yield* this.#endRows();
    return next;
  }

  get #isInRows(): boolean {
    return this.#copy !== undefined;
  }

  /** Ends the rows, and reads what was left of the line of their COPY; it may begin the rows of another COPY. */
  *#endRows(): Tokens {
    this.#copy = undefined;
    const line = this.#line;
    yield { type: "end of rows", rows: this.#rows, line };
    const rest = this.#behindCopy;
    this.#behindCopy = undefined;
    if (rest) {
      this.#line = rest.line;
      yield* this.#readLines(rest.bytes, 0, rest.bytes.length);
    }
    this.#line = line + 1;
  }

  #takeWaiting(chunk: Buffer): Buffer {
    const bytes = this.#waiting.length > 0 ? Buffer.concat([...this.#waiting, chunk]) : chunk;
    this.#waiting = [];
    return bytes;
  }
}

/** Windows editors add it to UTF-8; psql skips it, too. */
const byteOrderMark = Buffer.of(0xef, 0xbb, 0xbf);
