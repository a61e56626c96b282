import { BlockComment } from "./block-comment";
import {
  backslash,
  closeParenthesis,
  dollar,
  doubleQuote,
  endsComment,
  minus,
  newline,
  openParenthesis,
  quote,
  semicolon,
  slash,
} from "./bytes";
import type { IsLeadByte } from "./lead-bytes";
import { StatementWords } from "./statement-words";

/** Quoted text or a comment, in which a semicolon ends nothing. */
type Inside =
  | { readonly type: "string"; readonly escapes: boolean }
  | { readonly type: "identifier" }
  | { readonly type: "dollar string"; readonly tag: Buffer }
  | { readonly type: "comment"; readonly comment: BlockComment };

const enum Kind {
  Other,
  Word,
  Blank,
  Special,
}

/**
 * Finds the semicolon that ends a statement, as `psql` does: not within quotes, comments, parentheses (`CREATE RULE … DO
 * (a; b)`) or `BEGIN ATOMIC … END`. PostgreSQL manual, 4.1.
 *
 * Pass complete lines in order to {@link read}.
 */
export class StatementScanner {
  readonly #words = new StatementWords();
  #inside: Inside | undefined;
  #parentheses = 0;
  /** Whether a string constant can continue, which needs a line break: `E'a'⏎'b'`. */
  #continues: "no" | "on the next line" | "here" = "no";
  #escapes = false;

  /** @param standardStrings whether backslashes are literal in plain strings (`standard_conforming_strings`) */
  constructor(
    private readonly standardStrings: boolean,
    private readonly isLeadByte?: IsLeadByte,
  ) {}

  /** The first word of the statement, in lower case. */
  get firstWord(): string | undefined {
    return this.#words.first;
  }

  /** The number of rows in the VALUES of an INSERT; `undefined` for others. */
  get insertedRows(): number | undefined {
    return this.#words.insertedRows;
  }

  /** The position of the semicolon, or -1 when it is not between `from` and `end`. */
  read(bytes: Buffer, from: number, end: number): number {
    let i = from;
    while (i < end) {
      if (this.#inside) {
        i = this.#readInside(this.#inside, bytes, i, end);
        continue;
      }
      const byte = bytes[i] as number;
      switch (kinds[byte]) {
        case Kind.Blank:
          if (byte === newline && this.#continues === "on the next line") this.#continues = "here";
          i++;
          break;
        case Kind.Word:
          i = this.#readWord(bytes, i, end);
          break;
        case Kind.Special:
          if (byte === semicolon && this.#parentheses === 0 && !this.#words.inBody) return i;
          i = this.#readSpecial(byte, bytes, i, end);
          break;
        case Kind.Other:
        case undefined:
          this.#continues = "no";
          i++;
      }
    }
    return -1;
  }

  #readWord(bytes: Buffer, from: number, end: number): number {
    let i = from + 1;
    while (i < end && (kinds[bytes[i] as number] === Kind.Word || bytes[i] === dollar)) i++;
    this.#continues = "no";
    if (this.#words.needsMore(this.#parentheses)) {
      this.#words.add(bytes.toString("latin1", from, i).toLowerCase(), this.#parentheses);
    }
    if (bytes[i] !== quote) return i;
    const prefix = i - from === 1 ? (bytes[from] as number) | 0x20 : 0;
    return this.#enterString(i, prefix === 0x65);
  }

  #readSpecial(byte: number, bytes: Buffer, at: number, end: number): number {
    if (byte === quote) return this.#enterString(at, this.#continues === "here" && this.#escapes);
    if (byte === minus && bytes[at + 1] === minus) {
      let i = at;
      while (i < end && !endsComment(bytes[i])) i++;
      return i;
    }
    if (byte === slash && BlockComment.beginsAt(bytes, at)) {
      this.#inside = { type: "comment", comment: new BlockComment() };
      return at + 2;
    }
    this.#continues = "no";
    if (byte === openParenthesis) {
      if (this.#parentheses === 0) this.#words.openParenthesis();
      this.#parentheses++;
    } else if (byte === closeParenthesis && this.#parentheses > 0) this.#parentheses--;
    else if (byte === doubleQuote) this.#inside = { type: "identifier" };
    else if (byte === dollar) {
      const tag = dollarTagAt(bytes, at);
      if (tag) this.#inside = { type: "dollar string", tag };
      return at + (tag?.length ?? 1);
    }
    return at + 1;
  }

  #enterString(at: number, escapes: boolean): number {
    this.#escapes = escapes || !this.standardStrings;
    this.#inside = { type: "string", escapes: this.#escapes };
    return at + 1;
  }

  /** Reads up to the end of quoted text or a comment; returns the position after the last byte read. */
  #readInside(inside: Inside, bytes: Buffer, from: number, end: number): number {
    switch (inside.type) {
      case "string": {
        for (let i = from; i < end; i++) {
          if (bytes[i] === backslash && inside.escapes) i++;
          else if (this.isLeadByte?.(bytes[i] as number)) i++;
          else if (bytes[i] === quote) {
            if (bytes[i + 1] === quote) i++;
            else return this.#leave(i + 1, "on the next line");
          }
        }
        return end;
      }
      case "identifier": {
        // A doubled quote is an escaped one: leaving at the first and entering again at the second has the same effect.
        const close = bytes.indexOf(doubleQuote, from);
        return close < 0 || close >= end ? end : this.#leave(close + 1, "no");
      }
      case "dollar string": {
        const close = bytes.indexOf(inside.tag, from);
        return close < 0 || close >= end ? end : this.#leave(close + inside.tag.length, "no");
      }
      case "comment": {
        const close = inside.comment.read(bytes, from, end);
        return inside.comment.isOver ? this.#leave(close, this.#continues) : end;
      }
    }
  }

  #leave(at: number, continues: "no" | "on the next line" | "here"): number {
    this.#inside = undefined;
    this.#continues = continues;
    return at;
  }
}

/** The opening `$tag$` at a position; `undefined` for any other dollar sign. */
function dollarTagAt(bytes: Buffer, at: number): Buffer | undefined {
  let i = at + 1;
  while (kinds[bytes[i] as number] === Kind.Word) i++;
  if (bytes[i] !== dollar || isDigit(bytes[at + 1] as number)) return undefined;
  return bytes.subarray(at, i + 1);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function kindOf(byte: number): Kind {
  const character = String.fromCharCode(byte);
  if (byte >= 0x80 || /\w/.test(character)) return Kind.Word;
  if (/\s/.test(character)) return Kind.Blank;
  return "'\"$-/();".includes(character) ? Kind.Special : Kind.Other;
}

const kinds: readonly Kind[] = Array.from({ length: 256 }, (_, byte) => kindOf(byte));
