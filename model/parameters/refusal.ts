/** A message of PostgreSQL's log. */
interface Message {
  readonly severity: string;
  text: string;
}

/**
 * What PostgreSQL said when it did not start, or found something wrong while it did, in one line; empty when it said
 * nothing but what every start does. A bad settings file is told piece by piece, as LOG.
 */
export function refusalOf(log: string): string {
  const messages = readMessages(log);
  const verdict = /^configuration file ".*" contains errors/;
  const noise = /^skipping missing configuration file/;
  const isBadFile = messages.some(({ text }) => verdict.test(text));
  return messages
    .filter(({ severity, text }) => (severity !== "LOG" || isBadFile) && !verdict.test(text))
    .filter(({ text }) => !noise.test(text))
    .map(({ text }) => text)
    .join("; ");
}

/** What a library said against its settings, which PostgreSQL then leaves out; `undefined` when it said nothing. */
export function parameterWarnings(log: string): string | undefined {
  const warnings = readMessages(log)
    .filter(({ severity }) => severity === "WARNING")
    .map(({ text }) => text)
    .filter((text) => /^invalid (value for|configuration) parameter/.test(text));
  return warnings.length > 0 ? [...new Set(warnings)].join("; ") : undefined;
}

function readMessages(log: string): Message[] {
  const messages: Message[] = [];
  for (const line of log.split("\n")) {
    const match = /(?:^|\s)(LOG|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|postgres): +(\S.*)$/.exec(
      line,
    );
    const [, severity = "", text = ""] = match ?? [];
    const last = messages.at(-1);
    if (!match) continue;
    if ((severity === "DETAIL" || severity === "HINT") && last) last.text += ` (${text})`;
    else messages.push({ severity, text });
  }
  return messages;
}
