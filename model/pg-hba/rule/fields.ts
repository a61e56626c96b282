import type { Token } from "./token";

/** The fields of one line; each is a comma-separated list of tokens. */
export interface Fields {
  readonly fields: readonly (readonly Token[])[];
  /** A quote is not closed; PostgreSQL extends it to the end of the line. */
  readonly openQuote: boolean;
  /** A comma follows a blank: PostgreSQL ignores it, and the list ends before it. */
  readonly loneComma: boolean;
}

/** Blanks to PostgreSQL; any other white space is part of a word. */
const isBlank = (letter: string): boolean =>
  letter === " " || letter === "\t" || letter === "\r" || letter === "";

/** Splits a logical line into its fields, up to a comment. Quotes, commas and comments are handled as in PostgreSQL's `next_token`. */
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

/** Parses a word in the file's notation as one token; `undefined` when it is none or several. */
export function readToken(notation: string): Token | undefined {
  if (/^[\w.:/+-]+$/.test(notation)) return { text: notation, quoted: false };
  if (/[\n\0]/.test(notation)) return undefined;
  // Between two other tokens, an open quote, a comma or a comment changes the number of fields.
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
    // The previous letter was a closing quote: a quote directly after it is a literal one.
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
