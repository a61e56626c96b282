/** A human-readable explanation of a failure. */
export interface BackupFailure {
  readonly cause: string;
  readonly fix: string;
}

/** Facts about a failed attempt. */
export interface FailedAttempt {
  readonly server: string;
  /** Name of the job, e.g. `nightly`; `null` for a manual backup. */
  readonly job: string | null;
  /** The database being dumped, if any. */
  readonly database?: string | undefined;
  /** Name of the dump log. */
  readonly log?: string | undefined;
}

const rules: readonly {
  readonly pattern: RegExp;
  readonly cause: (attempt: FailedAttempt, message: string) => string;
  readonly fix: (attempt: FailedAttempt) => string;
}[] = [
  {
    pattern: /no space left on device|disk quota exceeded/i,
    cause: () => "the disk that holds the backups is full",
    fix: ({ server }) =>
      `free space, e.g. by deleting backups you no longer need (npx stagecraft backups ${server}), or move the volume to a larger disk`,
  },
  {
    pattern: /due to (?:lock|statement) timeout|could not obtain lock on relation/i,
    cause: ({ database }, message) =>
      `a table of ${database ?? "the database"} was locked by another session for longer than lockTimeout${lockedTable(message)}`,
    fix: () =>
      "end that session, schedule the job at another time, or increase lockTimeout of the job",
  },
  {
    pattern: /server version mismatch/i,
    cause: (_, message) => firstError(message),
    fix: () => "backups support PostgreSQL up to version 17; use that version",
  },
  {
    pattern:
      /server closed the connection unexpectedly|terminating connection|connection (?:to server )?was lost|connection terminated|ECONNRESET|EPIPE|not queryable/i,
    cause: ({ database }) =>
      `the connection was lost while ${database ?? "the server"} was being backed up: PostgreSQL was stopped, or the session was terminated`,
    fix: ({ server }) =>
      `once PostgreSQL is running again (npx stagecraft status ${server}): npx stagecraft backup ${server}`,
  },
];

/** Explains a failed backup from the error output of the programs involved. */
export function explainFailure(attempt: FailedAttempt, message: string): BackupFailure {
  const rule = rules.find(({ pattern }) => pattern.test(message));
  if (rule) return { cause: rule.cause(attempt, message), fix: rule.fix(attempt) };
  const { server, log } = attempt;
  // Our own messages state the fix after a semicolon.
  const [cause = "", ...fix] = firstError(message).split("; ");
  const fallback = log === undefined ? `npx stagecraft status ${server}` : logCommand(server, log);
  return { cause, fix: fix.length > 0 ? fix.join("; ") : fallback };
}

/** Formats a failure: a heading, its cause and its fix. */
export function backupFailureText(
  { server, job, database, log }: FailedAttempt,
  { cause, fix }: BackupFailure,
): string {
  const by = job === null ? "" : ` by ${job}`;
  const what = database === undefined ? "" : `: ${database} could not be dumped`;
  return [
    `no backup of ${server} was made${by}${what}`,
    `  cause     ${cause}`,
    `  fix       ${fix}`,
    ...(log === undefined ? [] : [`  log       ${logCommand(server, log)}`]),
  ].join("\n");
}

function logCommand(server: string, log: string): string {
  return `npx stagecraft log ${server} ${log}`;
}

/** The table that `pg_dump` could not lock, and the sessions that hold the lock. */
function lockedTable(message: string): string {
  const one = /could not obtain lock on relation "([^"]+)"/.exec(message)?.[1];
  const holders = /^held by .*$/m.exec(message)?.[0];
  return [one === undefined ? "" : ` (${one})`, holders === undefined ? "" : `: ${holders}`].join(
    "",
  );
}

/** The first error message in a program's output, without the program's name. */
function firstError(message: string): string {
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  const line = lines.find((text) => /\berror:/i.test(text)) ?? lines[0] ?? "unknown";
  return line.replace(/^\w+: (?:error: )?/, "").trim();
}
