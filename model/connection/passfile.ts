/** libpq's password file for one password, whatever it is asked for. PostgreSQL manual, 32.16. */
export function renderPassfile(password: string): string {
  return `*:*:*:*:${password.replaceAll(/[\\:]/g, "\\$&")}\n`;
}
