import type { ImportEvent } from "../../../model/import-log/event";
import { redactMessage } from "../../../model/masks/redact-message";
import { AgentError, messageOf } from "../../system/errors";

/** Fields of a PostgreSQL error. */
interface PostgresErrorFields {
  readonly code?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly dataType?: string;
}

/** PostgreSQL's error text without anything that could be a value of a row. */
export function failureText(error: unknown): string {
  const { code, constraint, column, dataType } = error as PostgresErrorFields;
  const message = messageOf(error);
  if (code === undefined) return message;
  const redacted = redactMessage(code, message);
  const named = redacted === message ? undefined : (constraint ?? column ?? dataType);
  return `${code}  ${redacted}${named === undefined ? "" : ` (${named})`}`;
}

/** An error that stops the masking, with the table and the fix, and never with a value to be hidden. */
export function maskFailure(
  what: string,
  error: unknown,
  fix = maskFix((error as PostgresErrorFields).code) ?? "change the mask of that column",
): AgentError {
  return new AgentError(`${what}: ${failureText(error)}; ${fix}`, { cause: undefined });
}

/** The fix for a message of an import whose rows are masked before their keys exist. */
export function maskedImportFix({ sqlstate, phase, message }: ImportEvent): string | undefined {
  if (
    sqlstate === "42501" &&
    /^permission denied for (?:function|procedure|aggregate)/.test(message)
  )
    return "a function of the data may not see values before they are masked; drop it on the source server, or use PostgreSQL's own functions there";
  return phase === "post-data" && ["23505", "23503", "23P01"].includes(sqlstate ?? "")
    ? maskFix(sqlstate)
    : undefined;
}

/** How to change masks so that PostgreSQL does not fail with this SQLSTATE. */
export function maskFix(sqlstate = ""): string | undefined {
  switch (sqlstate) {
    case "23505":
      return "two masked values are equal: use hash for the columns of that index, or sql with distinct results";
    case "23514":
      return "a masked value violates that check: use another mask for its column, or sql that satisfies the check";
    case "23502":
      return "a masked value is NULL there: use constant for its column, or sql that is never NULL";
    case "23503":
      return "use the same mask for all columns of that foreign key";
    case "23P01":
      return "masked values overlap: use sql or public for the columns of that constraint";
    case "42501":
      return "a function of the data may not see values before they are masked: use another mask, or sql; write it with functions of PostgreSQL or of an extension";
    case "53100":
      return "free some space on the server's disk";
    default:
      return undefined;
  }
}
