import { joinConstants, type SourceProperties } from "../base/database-settings";
import { PlainTokens } from "./plain-tokens";

/** One property of a database in a dump. */
export type DatabaseProperty =
  | { readonly kind: "setting"; readonly name: string; readonly value: string }
  | { readonly kind: "connection limit"; readonly limit: number }
  | { readonly kind: "comment"; readonly comment: string | null };

/**
 * Reads a statement of `pg_dump --create` that sets a property of its database: `ALTER DATABASE … SET`, `… CONNECTION LIMIT`,
 * `COMMENT ON DATABASE`. `undefined` for all others, e.g. those that name a role.
 */
export function databaseProperty(text: string): DatabaseProperty | undefined {
  const limit =
    /^ALTER\s+DATABASE\s+(?:"(?:[^"]|"")+"|[^\s"]+)\s+(?:WITH\s+)?CONNECTION\s+LIMIT\s*=?\s*(-?\d+)\s*;?\s*$/i;
  const found = limit.exec(text)?.[1];
  if (found !== undefined) return { kind: "connection limit", limit: Number(found) };
  const tokens = readTokens(text);
  if (!tokens) return undefined;
  if (tokens.words("COMMENT", "ON", "DATABASE")) {
    if (tokens.identifier() === undefined || !tokens.words("IS")) return undefined;
    const comment = tokens.words("NULL") ? null : tokens.string();
    return comment === undefined || !tokens.isAtEnd ? undefined : { kind: "comment", comment };
  }
  if (!tokens.words("ALTER", "DATABASE") || tokens.identifier() === undefined) return undefined;
  if (!tokens.words("SET")) return undefined;
  const name = tokens.parameterName();
  if (name === undefined || !(tokens.words("TO") || tokens.equals())) return undefined;
  const constants = tokens.list(() => tokens.string() ?? tokens.identifier());
  if (!constants || !tokens.isAtEnd) return undefined;
  return { kind: "setting", name, value: joinConstants(name, constants) };
}

/** The properties of a dump's database, from statements in the order of the dump. */
export function sourceProperties(properties: readonly DatabaseProperty[]): SourceProperties {
  const settings = new Map<string, string>();
  let connectionLimit: number | undefined;
  let comment: string | null | undefined;
  for (const property of properties) {
    if (property.kind === "setting") settings.set(property.name, property.value);
    else if (property.kind === "comment") ({ comment } = property);
    else connectionLimit = property.limit;
  }
  return {
    settings: [...settings].map(([name, value]) => ({ name, value })),
    connectionLimit,
    comment,
  };
}

/** Also reads a number as the value of a parameter, which pg_dump writes in quotes. */
function readTokens(text: string): PlainTokens | undefined {
  const plain = text.replace(/(?:\bTO|=)\s*(-?\d+(?:\.\d+)?)\s*;?\s*$/i, (all, number: string) =>
    all.replace(number, `'${number}'`),
  );
  return PlainTokens.read(plain);
}
