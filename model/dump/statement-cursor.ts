import { unquoteIdentifier } from "../base/sql";

/** A name as the dump writes it, and as PostgreSQL calls it: `"Time Off".id` and `Time Off.id`. */
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

// Statements may be cut anywhere, so texts may end with them.
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

/** Reads a statement word by word, texts and comments taken as a whole. */
export class StatementCursor {
  readonly #read: Lexeme[] = [];
  #next = 0;
  #scanned = 0;

  constructor(private readonly statement: string) {}

  /** The next word in capitals, or `undefined` when something else or nothing comes. */
  get word(): string | undefined {
    const lexeme = this.#peek();
    return lexeme?.type === "word" ? lexeme.text.toUpperCase() : undefined;
  }

  /** True when nothing comes any more. */
  get isAtEnd(): boolean {
    return this.#peek() === undefined;
  }

  /** Goes behind these words and tells so, when they come next. */
  accept(...words: readonly string[]): boolean {
    const comes = words.every((word, i) => {
      const lexeme = this.#peek(i);
      return lexeme?.type === "word" && lexeme.text.toUpperCase() === word;
    });
    if (comes) this.#next += words.length;
    return comes;
  }

  /** Goes behind the first of these phrases that comes next. */
  acceptOne<T extends string>(phrases: readonly T[]): T | undefined {
    return phrases.find((phrase) => this.accept(...phrase.split(" ")));
  }

  /** Goes behind the next of these words that stands outside parentheses; tells which one it was. */
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

  /** Reads the name of an object; the last part may be an operator. */
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

  /** Reads roles, one or several with commas between; PUBLIC and the like are none. */
  roles(): readonly string[] {
    const roles: string[] = [];
    do {
      if (this.#peek(1)?.type !== "other" && this.word === "GROUP") this.#next++;
      const lexeme = this.#peek();
      if (lexeme?.type !== "word" && lexeme?.type !== "quoted") break;
      this.#next++;
      const isRole = lexeme.type === "quoted" || !noRoles.has(lexeme.text.toUpperCase());
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

  /** What is read by `read`, as the statement writes it. */
  textOf(read: () => void): string {
    const from = this.#peek()?.start ?? this.statement.length;
    read();
    const last = this.#read[this.#next - 1];
    return this.statement.slice(from, last?.end ?? from);
  }

  /** Goes behind the parentheses that come next. */
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

  /** Goes back by `count` words. */
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

const noRoles = new Set(["PUBLIC", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE", "USER"]);
