import { DatabaseError, type Client } from "pg";

/** A line of `pg_hba.conf` that PostgreSQL rejects. */
export interface LineError {
  readonly line: number;
  /** Path of the file; `undefined` before PostgreSQL 16. */
  readonly file: string | undefined;
  readonly error: string;
}

/** For an error that PostgreSQL does not explain. */
export const unexplained = "PostgreSQL cannot use this rule";

/** Messages of a server log about lines of configuration files. */
export function lineErrorsOfLog(log: string): LineError[] {
  const found = log.matchAll(
    /(?:^|\s)(?:LOG|DEBUG): +(\S.*)\n(?:.*\sDETAIL: .*\n)?.*CONTEXT: +line (\d+) of configuration file "(.*)"/gm,
  );
  return [...found].map(([, error = "", line, file]) => ({
    line: Number(line),
    file,
    error: withoutSecrets(error),
  }));
}

/**
 * The first line of the server's `pg_hba.conf` that PostgreSQL rejects; `undefined` when it accepts all. Errors that
 * `pg_hba_file_rules` does not name are read from the messages of the session.
 */
export async function firstLineError(client: Client): Promise<LineError | undefined> {
  const { rows } = await client.query<{ line: number; error: string | null }>(
    // Without TLS PostgreSQL reports an error for a hostssl line, although it accepts the line.
    `SELECT line_number AS line, error FROM pg_catalog.pg_hba_file_rules
     WHERE CASE WHEN error IS NULL THEN type IS NULL ELSE error NOT LIKE '%record cannot match because%' END LIMIT 1`,
  );
  const [found] = rows;
  if (!found) return undefined;
  const { line, error } = found;
  const reason = withoutSecrets(error ?? (await debugMessage(client, line)) ?? unexplained);
  return { line, file: undefined, error: reason };
}

/** PostgreSQL quotes the secrets of RADIUS servers that it cannot read. */
function withoutSecrets(error: string): string {
  return error.replace(/(RADIUS secrets? list) ".*"/s, "$1");
}

/** What PostgreSQL says at debug level about a line. */
async function debugMessage(client: Client, line: number): Promise<string | undefined> {
  const messages: string[] = [];
  const listen = (notice: unknown): void => {
    if (!(notice instanceof DatabaseError)) return;
    const { message, where } = notice as { readonly message?: string; readonly where?: string };
    if (where?.includes(`line ${line} of configuration file`) === true && message !== undefined)
      messages.push(message);
  };
  await client.query("SET client_min_messages = debug3");
  client.on("notice", listen);
  try {
    await client.query("SELECT FROM pg_catalog.pg_hba_file_rules");
  } finally {
    client.off("notice", listen);
    await client.query("RESET client_min_messages");
  }
  return messages[0];
}
