/** A refusal or failure that a person can do something about: the message says what, which value and the fix. */
export class AgentError extends Error {
  override readonly name = "AgentError";
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
