/** Quotes an identifier: `"order"`, `"a""b"`. PostgreSQL manual, 4.1.1. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a string constant, for statements that take no parameters (ALTER DATABASE, CREATE DATABASE). PostgreSQL manual, 4.1.2. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? ` E${quoted}` : quoted;
}

/** Quotes the name of a parameter; those of extensions have a dot between two identifiers. */
export function quoteParameter(name: string): string {
  return name.split(".").map(quoteIdentifier).join(".");
}

/** Parses an identifier in SQL notation; unquoted ones are folded to lower case. */
export function unquoteIdentifier(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase();
}
