/** Why Stagecraft cannot create a role of this name, as the rest of a sentence that begins with "must"; `undefined` for a valid name. */
export function roleNameProblem(name: string): string | undefined {
  if (["public", "none"].includes(name)) return `not be ${name}, which is reserved in PostgreSQL`;
  if (name.startsWith("pg_"))
    return 'not begin with "pg_", which PostgreSQL reserves for its own roles';
  if (name.startsWith("stagecraft_"))
    return 'not begin with "stagecraft_", which Stagecraft reserves for its own roles';
  return undefined;
}
