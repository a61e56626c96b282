import type { SettingValues } from "./check";

/** The text of a settings file that PostgreSQL includes: a line each, in the order of their names. PostgreSQL manual, 19.1.2. */
export function renderSettings(settings: SettingValues): string {
  const lines = Object.keys(settings)
    .sort()
    .map((name) => `${name} = ${quoteValue(settings[name] ?? "")}\n`);
  return [
    "# Written by Stagecraft. Change postgres.settings of the stack instead.\n",
    ...lines,
  ].join("");
}

/** A value in the quotes of a settings file, where a line cannot go on behind its end. */
export function quoteValue(value: string): string {
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "''")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return `'${escaped}'`;
}
