import type { ParameterValues } from "./check";

/** Renders `stagecraft.conf`, which PostgreSQL includes: one parameter per line, ordered by name. PostgreSQL manual, 19.1.2. */
export function renderParameters(parameters: ParameterValues): string {
  const lines = Object.keys(parameters)
    .sort()
    .map((name) => `${name} = ${quoteValue(parameters[name] ?? "")}\n`);
  return [
    "# Written by Stagecraft. Change postgres.settings of the stack instead.\n",
    ...lines,
  ].join("");
}

/** Quotes a value for a configuration file, where a value cannot span lines. */
export function quoteValue(value: string): string {
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "''")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return `'${escaped}'`;
}
