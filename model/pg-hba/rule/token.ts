/** One word of a line: without its quotes, and whether it began with one. */
export interface Token {
  readonly text: string;
  /** A word in quotes is no keyword, no `+role` and no `@file`; it may still be a `/regex`. */
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

/** Whether a token is that keyword. */
export function isKeyword(token: Token, keyword: string): boolean {
  return !token.quoted && token.text === keyword;
}

/** The role whose members a user token `+role` means. */
export function groupOf({ text, quoted }: Token): string | undefined {
  return !quoted && text.startsWith("+") ? text.slice(1) : undefined;
}

/** The regular expression of a token `/regex`, for databases and users. Quotes do not take its meaning away. */
export function regexOf({ text }: Token): string | undefined {
  return text.startsWith("/") ? text.slice(1) : undefined;
}

/** The file whose words take the place of a token `@file`. */
export function fileOf({ text, quoted }: Token): string | undefined {
  return !quoted && text.length > 1 && text.startsWith("@") ? text.slice(1) : undefined;
}

/** Writes a token as `pg_hba.conf` wants it, with no more quotes than it needs. */
export function formatToken({ text, quoted }: Token): string {
  if (quoted) return keywords.has(text) || /^$|^[+@]/.test(text) ? quote(text) : quoteWords(text);
  const mark = /^[+@]/.exec(text)?.[0] ?? "";
  return mark + quoteWords(text.slice(mark.length), mark === "");
}

/** An option of a method, as people write it: `ldapbasedn="dc=example, dc=net"`. */
export function formatOption(name: string, value: string): string {
  return `${name}=${quoteWords(value, false)}`;
}

/** The token that means just this database or role, whatever it is called: `all` becomes `"all"`. */
export function nameToken(name: string): string {
  // Even in quotes a slash begins a regular expression.
  if (name.startsWith("/")) return quoteWords(`/^${name.replace(/[^\w/ -]/g, "\\$&")}$`);
  return formatToken({ text: name, quoted: true });
}

function quoteWords(text: string, emptyToo = true): string {
  // A backslash at the end of a line would join the next one to it.
  return /[ \t\r,#"]|\\$/.test(text) || (emptyToo && text === "") ? quote(text) : text;
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
