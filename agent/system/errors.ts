/** A rejection or failure that the user can act on: the message names the field or object, the value and the fix. */
export class AgentError extends Error {
  override readonly name: string = "AgentError";
}

/** A failure caused by the server's current state (disk full, connection lost) and not by the dump or the request. */
export class EnvironmentError extends AgentError {
  override readonly name = "EnvironmentError";
}

/** The message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
