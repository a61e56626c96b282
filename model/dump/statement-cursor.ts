import { unquoteIdentifier } from "../base/sql";

/** A name in SQL notation (`text`) and unquoted (`name`): `"Time Off".id` and `Time Off.id`. */
export interface QualifiedName {
  readonly text: string;
  readonly name: string;
}

interface Lexeme {
  readonly type: "word" | "quoted" | "operator" | "other";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

// Statements can be truncated, so quotes and comments may be unclosed.
const lexemes = new RegExp(
  [
    String.raw`(?:\s|--[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|$))+`,
    String.raw`(?<quoted>"(?:[^"]|"")*(?:"|$))`,
    String.raw`[eE]'(?:[^'\\]|''|\\[^])*(?:'|$)|'(?:[^']|'')*(?:'|$)`,
    String.raw`\$(?<tag>\w*)\$(?:(?!\$\k<tag>\$)[^])*(?:\$\k<tag>\$|$)`,
    String.raw`(?<word>[\w$\u0080-\uffff]+)`,
    String.raw`(?<operator>(?:[+*<>=~!@#%^&|${"`"}?]|-(?!-)|/(?!\*))+)`,
    "[^]",
  ].join("|"),
  "y",
);

/** Reads a statement word by word; quoted text is one lexeme, comments are skipped. */
export class StatementCursor {
  readonly #read: Lexeme[] = [];
  #next = 0;
  #scanned = 0;

  constructor(private readonly statement: string) {}

  /** The next word in upper case; `undefined` when the next lexeme is not a word, or at the end. */
  get word(): string | undefined {
    const lexeme = this.#peek();
    return lexeme?.type === "word" ? lexeme.text.toUpperCase() : undefined;
  }

  /** True at the end of the statement. */
  get isAtEnd(): boolean {
    return this.#peek() === undefined;
  }

  /** Skips these words if they come next; returns whether they did. */
  accept(...words: readonly string[]): boolean {
    const matches = words.every((word, i) => {
      const lexeme = this.#peek(i);
      return lexeme?.type === "word" && lexeme.text.toUpperCase() === word;
    });
    if (matches) this.#next += words.length;
    return matches;
  }

  /** Skips and returns the first of these phrases that comes next. */
  acceptOne<T extends string>(phrases: readonly T[]): T | undefined {
    return phrases.find((phrase) => this.accept(...phrase.split(" ")));
  }

  /** Skips up to and including the next of these words outside parentheses, and returns it. */
  skipTo(...words: readonly string[]): string | undefined {
    let depth = 0;
    for (let lexeme = this.#peek(); lexeme; lexeme = this.#peek()) {
      this.#next++;
      if (lexeme.text === "(") depth++;
      else if (lexeme.text === ")") depth--;
      else if (lexeme.type === "word" && depth <= 0) {
        const word = lexeme.text.toUpperCase();
        if (words.includes(word)) return word;
      }
    }
    return undefined;
  }

  /** Reads the name of an object; the last part can be an operator. */
  name(): QualifiedName | undefined {
    const first = this.#peek();
    if (!first) return undefined;
    const parts: string[] = [];
    let last = first;
    for (let part = this.#peek(); part && part.type !== "other"; part = this.#peek()) {
      this.#next++;
      parts.push(part.type === "operator" ? part.text : unquoteIdentifier(part.text));
      last = part;
      if (this.#peek()?.text !== ".") break;
      this.#next++;
    }
    if (parts.length === 0) return undefined;
    return { text: this.statement.slice(first.start, last.end), name: parts.join(".") };
  }

  /** Reads a comma-separated list of roles, without PUBLIC, CURRENT_USER and the like. */
  roles(): readonly string[] {
    const roles: string[] = [];
    do {
      if (this.#peek(1)?.type !== "other" && this.word === "GROUP") this.#next++;
      const lexeme = this.#peek();
      if (lexeme?.type !== "word" && lexeme?.type !== "quoted") break;
      this.#next++;
      const isRole = lexeme.type === "quoted" || !roleKeywords.has(lexeme.text.toUpperCase());
      if (isRole) roles.push(unquoteIdentifier(lexeme.text));
    } while (this.#acceptComma());
    return roles;
  }

  /** Reads a string constant. */
  string(): string | undefined {
    const text = this.#peek()?.text;
    if (text?.startsWith("'") !== true) return undefined;
    this.#next++;
    return text.slice(1, -1).replaceAll("''", "'");
  }

  /** The part of the statement that `read` reads. */
  textOf(read: () => void): string {
    const from = this.#peek()?.start ?? this.statement.length;
    read();
    const last = this.#read[this.#next - 1];
    return this.statement.slice(from, last?.end ?? from);
  }

  /** Skips parentheses with their contents, if they come next. */
  skipParentheses(): void {
    let depth = 0;
    do {
      const text = this.#peek()?.text;
      if (text === undefined || (depth === 0 && text !== "(")) return;
      this.#next++;
      if (text === "(") depth++;
      else if (text === ")") depth--;
    } while (depth > 0);
  }

  /** Moves back by `count` lexemes. */
  back(count = 1): void {
    this.#next -= count;
  }

  #acceptComma(): boolean {
    if (this.#peek()?.text !== ",") return false;
    this.#next++;
    return true;
  }

  #peek(ahead = 0): Lexeme | undefined {
    while (this.#read.length <= this.#next + ahead) {
      lexemes.lastIndex = this.#scanned;
      const match = lexemes.exec(this.statement);
      if (!match) return undefined;
      const start = this.#scanned;
      this.#scanned = lexemes.lastIndex;
      const [text] = match;
      if (/^(?:\s|--|\/\*)/.test(text)) continue;
      const { word, quoted, operator } = match.groups ?? {};
      const type =
        word !== undefined
          ? "word"
          : quoted !== undefined
            ? "quoted"
            : operator !== undefined
              ? "operator"
              : "other";
      this.#read.push({ type, text, start, end: this.#scanned });
    }
    return this.#read[this.#next + ahead];
  }
}

const roleKeywords = new Set(["PUBLIC", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE", "USER"]);
