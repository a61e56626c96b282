/** A message in PostgreSQL's server log. */
interface Message {
  readonly severity: string;
  text: string;
}

/**
 * Errors and warnings that PostgreSQL logged while starting or reloading, in one line; empty when there are none.
 * Errors in a configuration file are logged with severity LOG, one message each.
 */
export function startupErrors(log: string): string {
  const messages = readMessages(log);
  const summary = /^configuration file ".*" contains errors/;
  const noise = /^skipping missing configuration file/;
  const isBadFile = messages.some(({ text }) => summary.test(text));
  return messages
    .filter(({ severity, text }) => (severity !== "LOG" || isBadFile) && !summary.test(text))
    .filter(({ text }) => !noise.test(text))
    .map(({ text }) => text)
    .join("; ");
}

/** Warnings about invalid parameters of preloaded libraries, which PostgreSQL then ignores; `undefined` when there are none. */
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
