/** What the name of a role of ours must be; the sentence that follows "must", or `undefined` when it is fine. */
export function roleNameProblem(name: string): string | undefined {
  if (["public", "none"].includes(name)) return `not be ${name}, which no role can be called`;
  if (name.startsWith("pg_")) return 'not begin with "pg_", which PostgreSQL keeps for its own';
  if (name.startsWith("stagecraft_"))
    return 'not begin with "stagecraft_", which Stagecraft keeps for its own roles';
  return undefined;
}
