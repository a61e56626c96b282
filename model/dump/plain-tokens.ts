import { unquoteIdentifier } from "../base/sql";

const types = ["word", "quoted", "string", "mark"] as const;

interface Token {
  readonly type: (typeof types)[number];
  readonly text: string;
}

const token =
  /\s+|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<quoted>"(?:[^"\0]|"")+")|(?<string>'(?:[^'\\\0]|'')*')|(?<mark>[(),.=;[\]])/y;

/**
 * Tokens of a statement that consists of names, string constants without backslashes, and `( ) [ ] , . = ;` only, for
 * statements that must be understood completely.
 */
export class PlainTokens {
  private constructor(
    private readonly tokens: readonly Token[],
    private next = 0,
  ) {}

  /** Reads a statement; `undefined` if it has anything else: a comment, a number, an operator, another kind of constant. */
  static read(statement: string): PlainTokens | undefined {
    const tokens: Token[] = [];
    let end = 0;
    while (end < statement.length) {
      token.lastIndex = end;
      const match = token.exec(statement);
      if (!match) return undefined;
      end = token.lastIndex;
      const groups: Readonly<Record<string, string | undefined>> = match.groups ?? {};
      for (const type of types) {
        const text = groups[type];
        if (text !== undefined) tokens.push({ type, text });
      }
    }
    while (tokens.at(-1)?.text === ";") tokens.pop();
    return tokens.some(({ text }) => text === ";") ? undefined : new PlainTokens(tokens);
  }

  copy(): PlainTokens {
    return new PlainTokens(this.tokens, this.next);
  }

  get isAtEnd(): boolean {
    return this.next >= this.tokens.length;
  }

  /** Skips these keywords if they come next; returns whether they did. */
  words(...words: readonly string[]): boolean {
    const matches = words.every((word, i) => {
      const found = this.tokens[this.next + i];
      return found?.type === "word" && found.text.toUpperCase() === word;
    });
    if (matches) this.next += words.length;
    return matches;
  }

  /** Reads a name, unquoted. */
  identifier(): string | undefined {
    const found = this.tokens[this.next];
    if (found?.type !== "word" && found?.type !== "quoted") return undefined;
    this.next++;
    return unquoteIdentifier(found.text);
  }

  /** Reads a name of one or two parts, unquoted. */
  qualifiedName(): readonly string[] | undefined {
    const first = this.identifier();
    if (first === undefined || !this.#mark(".")) return first === undefined ? undefined : [first];
    const second = this.identifier();
    return second === undefined ? undefined : [first, second];
  }

  /** Reads the name of a parameter, which PostgreSQL does not fold: `"app.mode"`, `search_path`, `app.mode`. */
  parameterName(): string | undefined {
    const parts: string[] = [];
    do {
      const found = this.tokens[this.next];
      if (found?.type !== "word" && found?.type !== "quoted") return undefined;
      this.next++;
      parts.push(found.type === "word" ? found.text : unquoteIdentifier(found.text));
    } while (this.#mark("."));
    return parts.join(".");
  }

  /** Skips an equals sign if it comes next; returns whether it did. */
  equals(): boolean {
    return this.#mark("=");
  }

  /** Reads a string constant. */
  string(): string | undefined {
    const found = this.tokens[this.next];
    if (found?.type !== "string") return undefined;
    this.next++;
    return found.text.slice(1, -1).replaceAll("''", "'");
  }

  /** Reads items between commas, at least one. */
  list<T>(item: () => T | undefined): readonly T[] | undefined {
    const items: T[] = [];
    do {
      const found = item();
      if (found === undefined) return undefined;
      items.push(found);
    } while (this.#mark(","));
    return items;
  }

  /** Reads parentheses around items between commas, which may be none. */
  inParentheses<T>(item: () => T | undefined): readonly T[] | undefined {
    if (!this.#mark("(")) return undefined;
    if (this.#mark(")")) return [];
    const items = this.list(item);
    return items && this.#mark(")") ? items : undefined;
  }

  /** Reads `WITH (name = value, …)`, with values as text; `[]` if it does not come next. */
  options(): readonly (readonly [name: string, value: string])[] | undefined {
    if (!this.words("WITH")) return [];
    return this.inParentheses(() => {
      const name = this.identifier();
      if (name === undefined || !this.#mark("=")) return undefined;
      const value = this.identifier() ?? this.string();
      return value === undefined ? undefined : ([name, value] as const);
    });
  }

  /** Skips the rest. */
  skipAll(): void {
    this.next = this.tokens.length;
  }

  #mark(text: string): boolean {
    const found = this.tokens[this.next];
    if (found?.type !== "mark" || found.text !== text) return false;
    this.next++;
    return true;
  }
}
