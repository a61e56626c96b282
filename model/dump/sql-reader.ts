/** One piece of a plain dump, in the order of the file. Lines count from 1. */
export type SqlToken =
  | { readonly type: "comment"; readonly text: string; readonly line: number }
  | {
      readonly type: "statement";
      /** Without the closing semicolon, in the encoding of the file. */
      readonly bytes: Buffer;
      readonly line: number;
      readonly endLine: number;
    }
  /** A command to psql, such as `\restrict` or `\connect`. */
  | { readonly type: "meta"; readonly text: string; readonly line: number }
  /** Part of the rows behind a `COPY … FROM stdin`; the closing `\.` is not in it. */
  | { readonly type: "rows"; readonly bytes: Buffer }
  | { readonly type: "end of rows"; readonly rows: number; readonly line: number }
  /** The file ended in the middle of something. */
  | { readonly type: "unfinished"; readonly what: "statement" | "rows"; readonly line: number };

const enum Mode {
  Between,
  Statement,
  Quote,
  Identifier,
  DollarTag,
  DollarBody,
  LineComment,
  BlockComment,
  Meta,
  RowsAhead,
  Rows,
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x27;
const doubleQuote = 0x22;
const dollar = 0x24;
const minus = 0x2d;
const slash = 0x2f;
const star = 0x2a;
const backslash = 0x5c;
const semicolon = 0x3b;
const openParenthesis = 0x28;
const closeParenthesis = 0x29;

/**
 * Splits a plain dump into statements, rows and comments as `psql` does (PostgreSQL manual, 4.1 and psql), in one pass
 * over the bytes and in constant memory. Unlike `psql` it never takes a row for a statement, and it runs no `\` command.
 *
 * Give it chunks in order by {@link push}, then call {@link finish} once.
 */
export class SqlReader {
  #mode = Mode.Between;
  #line = 1;
  /** The line on which the current token began. */
  #tokenLine = 1;
  #parts: Buffer[] = [];
  /** Bytes that could not be judged before the next chunk came. */
  #held: Buffer = Buffer.alloc(0);
  #parentheses = 0;
  #blockComments = 0;
  /** Where a comment inside a statement returns to. */
  #commentReturn: Mode.Between | Mode.Statement = Mode.Between;
  #escapes = false;
  #standardStrings = true;
  #dollarTag: number[] = [];
  #dollarMatched = 0;
  #word = "";
  #words = new StatementWords();
  #rows = 0;
  #atLineStart = true;

  /** Reads the next bytes of the file. */
  *push(chunk: Buffer): Generator<SqlToken, void, undefined> {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = Buffer.alloc(0);
    let position = 0;
    while (position < bytes.length) {
      if (this.#mode === Mode.Rows) position = yield* this.#readRows(bytes, position);
      else position = yield* this.#readSql(bytes, position);
    }
  }

  /** Says that the file has ended. */
  *finish(): Generator<SqlToken, void, undefined> {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    if (this.#mode === Mode.Rows || this.#mode === Mode.RowsAhead) {
      if (this.#mode === Mode.Rows && rest.equals(Buffer.from("\\."))) yield this.#endRows();
      else yield { type: "unfinished", what: "rows", line: this.#line };
      return;
    }
    const lone = this.#mode === Mode.LineComment || this.#mode === Mode.Meta;
    if (lone && this.#commentReturn === Mode.Between) {
      yield this.#take(this.#mode === Mode.Meta ? "meta" : "comment", rest, 0, rest.length);
    } else if (this.#mode !== Mode.Between || rest.length > 0) {
      yield { type: "unfinished", what: "statement", line: this.#line };
    }
  }

  /** Reads until the rows of a COPY begin or the chunk ends; returns where it stopped. */
  *#readSql(bytes: Buffer, from: number): Generator<SqlToken, number, undefined> {
    let start = from;
    let i = from;
    for (; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (byte === newline) this.#line++;
      switch (this.#mode) {
        case Mode.Between:
          if (byte <= 0x20 || byte === semicolon) break;
          if (isAheadNeeded(byte) && i + 1 === bytes.length) return this.#hold(bytes, i, i);
          this.#tokenLine = this.#line;
          this.#commentReturn = Mode.Between;
          start = i;
          if (byte === minus && bytes[i + 1] === minus) {
            this.#mode = Mode.LineComment;
          } else if (byte === slash && bytes[i + 1] === star) {
            this.#mode = Mode.BlockComment;
            this.#blockComments = 1;
            i++;
          } else if (byte === backslash) {
            this.#mode = Mode.Meta;
          } else {
            this.#beginStatement();
            i--;
          }
          break;
        case Mode.Statement: {
          if (isWordByte(byte)) {
            if (this.#word.length < 16) this.#word += String.fromCharCode(byte);
            break;
          }
          if (isAheadNeeded(byte) && i + 1 === bytes.length) return this.#hold(bytes, start, i);
          const word = this.#word.toLowerCase();
          if (byte === dollar && word !== "") {
            this.#word += "$";
            break;
          }
          this.#word = "";
          if (word !== "") this.#words.add(word, this.#parentheses);
          switch (byte) {
            case quote:
              this.#escapes = word === "e" || !this.#standardStrings;
              this.#mode = Mode.Quote;
              break;
            case doubleQuote:
              this.#mode = Mode.Identifier;
              break;
            case dollar:
              this.#dollarTag = [dollar];
              this.#mode = Mode.DollarTag;
              break;
            case minus:
              if (bytes[i + 1] === minus) this.#enterComment(Mode.LineComment);
              break;
            case slash:
              if (bytes[i + 1] === star) {
                this.#enterComment(Mode.BlockComment);
                this.#blockComments = 1;
                i++;
              }
              break;
            case openParenthesis:
              this.#parentheses++;
              break;
            case closeParenthesis:
              if (this.#parentheses > 0) this.#parentheses--;
              break;
            case semicolon:
              if (this.#parentheses > 0 || this.#words.inBody) break;
              yield* this.#endStatement(bytes, start, i);
              start = i + 1;
              break;
          }
          break;
        }
        case Mode.Quote: {
          if (this.#escapes && byte === backslash) {
            if (i + 1 === bytes.length) return this.#hold(bytes, start, i);
            i++;
            if (bytes[i] === newline) this.#line++;
          } else if (byte === quote) {
            if (i + 1 === bytes.length) return this.#hold(bytes, start, i);
            if (bytes[i + 1] === quote) i++;
            else this.#mode = Mode.Statement;
          } else if (!this.#escapes) {
            // The common case of long texts: go to the next quote at once.
            const next = bytes.indexOf(quote, i);
            const end = next < 0 ? bytes.length : next;
            this.#line += countNewlines(bytes, i + 1, end);
            i = end - 1;
          }
          break;
        }
        case Mode.Identifier:
          if (byte === doubleQuote) this.#mode = Mode.Statement;
          break;
        case Mode.DollarTag:
          if (byte === dollar) {
            this.#dollarTag.push(dollar);
            this.#dollarMatched = 0;
            this.#mode = Mode.DollarBody;
          } else if (isWordByte(byte) && !(this.#dollarTag.length === 1 && isDigit(byte))) {
            this.#dollarTag.push(byte);
          } else {
            this.#mode = Mode.Statement;
            if (byte === newline) this.#line--;
            i--;
          }
          break;
        case Mode.DollarBody:
          // A tag has its dollar signs only at its ends, so a mismatch can begin a new match with itself alone.
          if (byte === this.#dollarTag[this.#dollarMatched]) this.#dollarMatched++;
          else this.#dollarMatched = byte === dollar ? 1 : 0;
          if (this.#dollarMatched === this.#dollarTag.length) this.#mode = Mode.Statement;
          break;
        case Mode.LineComment:
          if (byte !== newline) break;
          if (this.#commentReturn === Mode.Between) {
            yield this.#take("comment", bytes, start, i);
            start = i + 1;
          }
          this.#mode = this.#commentReturn;
          break;
        case Mode.BlockComment:
          if (byte !== slash && byte !== star) break;
          if (i + 1 === bytes.length) return this.#hold(bytes, start, i);
          if (byte === slash && bytes[i + 1] === star) {
            this.#blockComments++;
            i++;
          } else if (byte === star && bytes[i + 1] === slash) {
            i++;
            if (--this.#blockComments > 0) break;
            this.#mode = this.#commentReturn;
            if (this.#mode === Mode.Between) {
              this.#parts = [];
              start = i + 1;
            }
          }
          break;
        case Mode.Meta:
          if (byte !== newline) break;
          yield this.#take("meta", bytes, start, i);
          start = i + 1;
          this.#mode = Mode.Between;
          break;
        case Mode.RowsAhead:
          if (byte !== newline) break;
          this.#mode = Mode.Rows;
          this.#rows = 0;
          this.#atLineStart = true;
          return i + 1;
      }
    }
    if (this.#mode !== Mode.Between && this.#mode !== Mode.RowsAhead) {
      this.#parts.push(bytes.subarray(start, bytes.length));
    }
    return bytes.length;
  }

  /** Reads rows until the closing `\.` or the end of the chunk; returns where it stopped. */
  *#readRows(bytes: Buffer, from: number): Generator<SqlToken, number, undefined> {
    let search = from;
    for (;;) {
      const found = bytes.indexOf("\\.", search, "latin1");
      if (found < 0) break;
      const begins = found === from ? this.#atLineStart : bytes[found - 1] === newline;
      const next = bytes[found + 2];
      const ends = next === newline || (next === carriageReturn && bytes[found + 3] === newline);
      if (begins && ends) {
        yield* this.#someRows(bytes, from, found);
        yield this.#endRows();
        this.#line++;
        return found + (next === newline ? 3 : 4);
      }
      search = found + 1;
    }
    const held = this.#possibleEnd(bytes, from);
    yield* this.#someRows(bytes, from, held);
    this.#held = bytes.subarray(held);
    return bytes.length;
  }

  *#someRows(bytes: Buffer, from: number, to: number): Generator<SqlToken, void, undefined> {
    if (to <= from) return;
    const rows = countNewlines(bytes, from, to);
    this.#rows += rows;
    this.#line += rows;
    this.#atLineStart = bytes[to - 1] === newline;
    yield { type: "rows", bytes: bytes.subarray(from, to) };
  }

  #endRows(): SqlToken {
    this.#mode = Mode.Between;
    return { type: "end of rows", rows: this.#rows, line: this.#line };
  }

  /** Where a `\.` line may have begun whose end is in the next chunk. */
  #possibleEnd(bytes: Buffer, from: number): number {
    for (let length = Math.min(3, bytes.length - from); length > 0; length--) {
      const at = bytes.length - length;
      const begins = at === from ? this.#atLineStart : bytes[at - 1] === newline;
      if (begins && "\\.\r".startsWith(bytes.toString("latin1", at))) return at;
    }
    return bytes.length;
  }

  #beginStatement(): void {
    this.#mode = Mode.Statement;
    this.#parentheses = 0;
    this.#word = "";
    this.#words = new StatementWords();
  }

  *#endStatement(bytes: Buffer, start: number, end: number): Generator<SqlToken, void, undefined> {
    const statement = this.#join(bytes, start, end);
    this.#mode = Mode.Between;
    yield { type: "statement", bytes: statement, line: this.#tokenLine, endLine: this.#line };
    switch (this.#words.first) {
      case "copy":
        if (/\sFROM\s+stdin\b/i.test(statement.toString("latin1"))) this.#mode = Mode.RowsAhead;
        break;
      case "set": {
        const setting = /^SET\s+standard_conforming_strings\s*(?:=|TO)\s*'?(on|off)/i;
        const value = setting.exec(statement.toString("latin1"))?.[1]?.toLowerCase();
        if (value !== undefined) this.#standardStrings = value === "on";
        break;
      }
    }
  }

  #enterComment(mode: Mode.LineComment | Mode.BlockComment): void {
    this.#commentReturn = Mode.Statement;
    this.#mode = mode;
  }

  /** Keeps the bytes from `at` for the next chunk: what they mean depends on the byte after them. */
  #hold(bytes: Buffer, start: number, at: number): number {
    if (at > start) this.#parts.push(bytes.subarray(start, at));
    this.#held = bytes.subarray(at);
    return bytes.length;
  }

  #take(type: "comment" | "meta", bytes: Buffer, start: number, end: number): SqlToken {
    const text = this.#join(bytes, start, end).toString("utf8").replace(/\r$/, "");
    return { type, text, line: this.#tokenLine };
  }

  #join(bytes: Buffer, start: number, end: number): Buffer {
    const last = bytes.subarray(start, end);
    const whole = this.#parts.length > 0 ? Buffer.concat([...this.#parts, last]) : last;
    this.#parts = [];
    return whole;
  }
}

/** Follows the words of a statement as far as is needed to know whether it is in a `BEGIN ATOMIC … END` body. */
class StatementWords {
  #names: string[] = [];
  #depth = 0;

  get first(): string | undefined {
    return this.#names[0];
  }

  /** True between BEGIN and END of an SQL-standard function body, where semicolons end nothing. */
  get inBody(): boolean {
    return this.#depth > 0;
  }

  add(word: string, parentheses: number): void {
    if (this.#names.length < 4) this.#names.push(word);
    if (parentheses > 0 || !this.#createsRoutine()) return;
    if (word === "begin") this.#depth++;
    else if (word === "case" && this.#depth > 0) this.#depth++;
    else if (word === "end" && this.#depth > 0) this.#depth--;
  }

  #createsRoutine(): boolean {
    const [create, ...rest] = this.#names;
    const object = rest[0] === "or" ? rest[2] : rest[0];
    return create === "create" && (object === "function" || object === "procedure");
  }
}

function isAheadNeeded(byte: number): boolean {
  return byte === minus || byte === slash;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x5f ||
    isDigit(byte) ||
    byte >= 0x80
  );
}

function countNewlines(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) if (bytes[i] === newline) count++;
  return count;
}
