/** One word of a line, without its quotes. */
export interface Token {
  readonly text: string;
  /** Whether it begins with a quote. A quoted word is no keyword, `+role` or `@file`; it can be a `/regex`. */
  readonly quoted: boolean;
}

const keywords: ReadonlySet<string> = new Set([
  "all",
  "sameuser",
  "samerole",
  "samegroup",
  "replication",
  "samehost",
  "samenet",
]);

/** Whether a token is a given keyword. */
export function isKeyword(token: Token, keyword: string): boolean {
  return !token.quoted && token.text === keyword;
}

/** The role of a user token `+role`, which matches members of the role; `undefined` for others. */
export function groupOf({ text, quoted }: Token): string | undefined {
  return !quoted && text.startsWith("+") ? text.slice(1) : undefined;
}

/** The regular expression of a database or user token `/regex`, quoted or not; `undefined` for others. */
export function regexOf({ text }: Token): string | undefined {
  return text.startsWith("/") ? text.slice(1) : undefined;
}

/** The file of a token `@file`, which is replaced by the words in that file; `undefined` for others. */
export function fileOf({ text, quoted }: Token): string | undefined {
  return !quoted && text.length > 1 && text.startsWith("@") ? text.slice(1) : undefined;
}

/** Formats a token in the notation of `pg_hba.conf`, quoted only if necessary. */
export function formatToken({ text, quoted }: Token): string {
  if (quoted) return keywords.has(text) || /^$|^[+@]/.test(text) ? quote(text) : quoteWords(text);
  const mark = /^[+@]/.exec(text)?.[0] ?? "";
  return mark + quoteWords(text.slice(mark.length), mark === "");
}

/** Formats an option of a method: `ldapbasedn="dc=example, dc=net"`. */
export function formatOption(name: string, value: string): string {
  return `${name}=${quoteWords(value, false)}`;
}

/** The token that matches exactly one database or role by name: `all` becomes `"all"`. */
export function nameToken(name: string): string {
  // A leading slash begins a regular expression even in quotes.
  if (name.startsWith("/")) return quoteWords(`/^${name.replace(/[^\w/ -]/g, "\\$&")}$`);
  return formatToken({ text: name, quoted: true });
}

function quoteWords(text: string, emptyToo = true): string {
  // A backslash at the end of a line would join it with the next line.
  return /[ \t\r,#"]|\\$/.test(text) || (emptyToo && text === "") ? quote(text) : text;
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
