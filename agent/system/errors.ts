/** A refusal or failure that a person can do something about: the message says what, which value and the fix. */
export class AgentError extends Error {
  override readonly name: string = "AgentError";
}

/** A failure for what this server is like now (a full disk, a PostgreSQL that went away), which says nothing about a dump. */
export class EnvironmentError extends AgentError {
  override readonly name = "EnvironmentError";
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
