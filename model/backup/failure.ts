/** Why something about a backup failed, for a person. */
export interface Failure {
  readonly cause: string;
  readonly fix: string;
}

/** What is known of the attempt that failed. */
export interface FailedAttempt {
  readonly server: string;
  /** Where it failed: `nightly`, say; `null` for one by hand. */
  readonly job: string | null;
  /** The database that was being dumped, if any. */
  readonly database?: string | undefined;
  /** Name of that database's log. */
  readonly log?: string | undefined;
}

const rules: readonly {
  readonly pattern: RegExp;
  readonly cause: (attempt: FailedAttempt, message: string) => string;
  readonly fix: (attempt: FailedAttempt) => string;
}[] = [
  {
    pattern: /no space left on device|disk quota exceeded/i,
    cause: () => "the disk with the backups is full",
    fix: ({ server }) =>
      `make room there, e.g. by removing backups that nobody needs (npx stagecraft backups ${server}), or give the volume a larger disk`,
  },
  {
    pattern: /due to (?:lock|statement) timeout|could not obtain lock on relation/i,
    cause: ({ database }, message) =>
      `a table of ${database ?? "the database"} was locked by somebody else for longer than lockTimeout${lockedTable(message)}`,
    fix: () =>
      "end that session, let the job run at another time, or set lockTimeout of the job higher",
  },
  {
    pattern: /server version mismatch/i,
    cause: (_, message) => firstError(message),
    fix: () => "backups are made of servers up to PostgreSQL 17; use that version",
  },
  {
    pattern:
      /server closed the connection unexpectedly|terminating connection|connection (?:to server )?was lost|connection terminated|ECONNRESET|EPIPE|not queryable/i,
    cause: ({ database }) =>
      `the connection was cut while ${database ?? "the server"} was being backed up: PostgreSQL was stopped, or somebody ended the session`,
    fix: ({ server }) =>
      `when PostgreSQL is well again (npx stagecraft status ${server}): npx stagecraft backup ${server}`,
  },
];

/** What a person is told of a failed backup, from what the programs said. */
export function explainFailure(attempt: FailedAttempt, message: string): Failure {
  const rule = rules.find(({ pattern }) => pattern.test(message));
  if (rule) return { cause: rule.cause(attempt, message), fix: rule.fix(attempt) };
  const { server, log } = attempt;
  // Ours say what to do behind a semicolon.
  const [cause = "", ...told] = firstError(message).split("; ");
  const look = log === undefined ? `npx stagecraft status ${server}` : logCommand(server, log);
  return { cause, fix: told.length > 0 ? told.join("; ") : look };
}

/** How a failure is told: a line, its cause and its fix. */
export function failureText(
  { server, job, database, log }: FailedAttempt,
  { cause, fix }: Failure,
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

/** `pg_dump` tells which tables it wanted to lock. */
function lockedTable(message: string): string {
  const one = /could not obtain lock on relation "([^"]+)"/.exec(message)?.[1];
  const holders = /^held by .*$/m.exec(message)?.[0];
  return [one === undefined ? "" : ` (${one})`, holders === undefined ? "" : `: ${holders}`].join(
    "",
  );
}

/** The first thing a program complained of, without its own name before it. */
function firstError(message: string): string {
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  const line = lines.find((text) => /\berror:/i.test(text)) ?? lines[0] ?? "unknown";
  return line.replace(/^\w+: (?:error: )?/, "").trim();
}
