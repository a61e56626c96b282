/** Renders a libpq password file with one password for all connections. PostgreSQL manual, 32.16. */
export function renderPassfile(password: string): string {
  return `*:*:*:*:${password.replaceAll(/[\\:]/g, "\\$&")}\n`;
}
