/** An identifier, quoted always: `"order"`, `"a""b"`. PostgreSQL manual, 4.1.1. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string constant for the few statements that take no parameters (ALTER DATABASE, CREATE DATABASE). PostgreSQL manual, 4.1.2. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? ` E${quoted}` : quoted;
}

/** Reads an identifier as SQL writes it: unquoted is folded to lower case. */
export function unquoteIdentifier(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase();
}
