import type { Token } from "./token";

/** The fields of one line; each is a list of tokens, which commas join. */
export interface Fields {
  readonly fields: readonly (readonly Token[])[];
  /** A quote was opened and never closed; PostgreSQL takes the rest of the line into it. */
  readonly openQuote: boolean;
  /** A comma with a blank before it: PostgreSQL skips it, and the list before it ends there. */
  readonly loneComma: boolean;
}

/** Blanks as PostgreSQL knows them; any other white space is part of a word. */
const isBlank = (letter: string): boolean =>
  letter === " " || letter === "\t" || letter === "\r" || letter === "";

/** Splits a line, continuation lines joined, into its fields up to a comment. Quotes, commas and comments count as in PostgreSQL's `next_token`. */
export function splitFields(line: string): Fields {
  if (!/["#,]/.test(line)) {
    const words = line.split(/[ \t\r]+/).filter((text) => text !== "");
    const fields = words.map((text) => [{ text, quoted: false }]);
    return { fields, openQuote: false, loneComma: false };
  }
  const reader = new TokenReader(line);
  const fields: Token[][] = [];
  let joined = false;
  for (let token = reader.next(); token; token = reader.next()) {
    const last = fields.at(-1);
    if (joined && last) last.push(token);
    else fields.push([token]);
    joined = reader.comma;
  }
  return { fields, openQuote: reader.openQuote, loneComma: reader.loneComma };
}

/** The one token that a word in the file's notation is; `undefined` when it is none or several. */
export function readToken(notation: string): Token | undefined {
  if (/^[\w.:/+-]+$/.test(notation)) return { text: notation, quoted: false };
  if (/[\n\0]/.test(notation)) return undefined;
  // Between two others, an open quote, a comma or a comment shows.
  const { fields } = splitFields(`. ${notation} .`);
  const [, [token, ...others] = []] = fields;
  return fields.length === 3 && others.length === 0 ? token : undefined;
}

class TokenReader {
  /** Whether the last token ended at a comma. */
  comma = false;
  openQuote = false;
  loneComma = false;
  private at = 0;

  constructor(private readonly line: string) {}

  next(): Token | undefined {
    const { line } = this;
    for (; isBlank(line.charAt(this.at)) || line[this.at] === ","; this.at++) {
      if (this.at >= line.length) return undefined;
      if (line[this.at] === "," && !this.comma) this.loneComma = true;
    }
    this.comma = false;
    let text = "";
    let inQuote = false;
    let sawQuote = false;
    let quoted = false;
    // The letter before was a closing quote: another one behind it stands for itself.
    let wasQuote = false;
    for (; this.at < line.length; this.at++) {
      const letter = line.charAt(this.at);
      if (!inQuote) {
        if (isBlank(letter)) break;
        if (letter === "#") {
          this.at = line.length;
          break;
        }
        if (letter === ",") {
          this.comma = true;
          break;
        }
      }
      if (letter !== '"' || wasQuote) text += letter;
      if (letter !== '"') {
        wasQuote = false;
        continue;
      }
      wasQuote = inQuote && !wasQuote;
      inQuote = !inQuote;
      sawQuote = true;
      if (text === "") quoted = true;
    }
    if (inQuote) this.openQuote = true;
    return sawQuote || text !== "" ? { text, quoted } : undefined;
  }
}
