/**
 * The encoding that a statement sets for the client, in any spelling: `SET client_encoding = 'LATIN1'`, `set client_encoding
 * to latin1`, `SET NAMES 'LATIN1'`; `undefined` for other statements.
 */
export function clientEncodingOf(statement: string): string | undefined {
  const forms: readonly (string | undefined)[] = pattern.exec(statement)?.slice(1) ?? [];
  const encoding = forms.find((form) => form !== undefined);
  return encoding === undefined || /^default$/i.test(encoding) ? undefined : encoding;
}

const set = String.raw`SET\s+(?:(?:SESSION|LOCAL)\s+)?(?:client_encoding\s*(?:=|\bTO\b)|NAMES\b)\s*(?:'([^']+)'|"([^"]+)"|([\w-]+))`;
const call = String.raw`SELECT\s+(?:pg_catalog\s*\.\s*)?set_config\s*\(\s*'client_encoding'\s*,\s*'([^']+)'`;
const pattern = new RegExp(`^\\s*(?:${set}|${call})`, "i");
