import { redactMessage } from "../../../model/masks/redact-message";
import { AgentError, messageOf } from "../../system/errors";

/** What PostgreSQL tells of an error. */
interface PostgresErrorFields {
  readonly code?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly dataType?: string;
}

/** What PostgreSQL said, as far as no value of a row can be in it. */
export function failureText(error: unknown): string {
  const { code, constraint, column, dataType } = error as PostgresErrorFields;
  const message = messageOf(error);
  if (code === undefined) return message;
  const told = redactMessage(code, message);
  const named = told === message ? undefined : (constraint ?? column ?? dataType);
  return `${code}  ${told}${named === undefined ? "" : ` (${named})`}`;
}

/** An error that stops the masking, with the table and the fix. Never with a value: those are what is to be hidden. */
export function maskFailure(what: string, error: unknown, fix = fixFor(error)): AgentError {
  return new AgentError(`${what}: ${failureText(error)}; ${fix}`, { cause: undefined });
}

function fixFor(error: unknown): string {
  const { code = "" } = error as PostgresErrorFields;
  switch (code) {
    case "23505":
      return "two values became the same: give the columns of that index hash, or sql that keeps them apart";
    case "23514":
      return "a masked value breaks that check: give its column another mask, or sql that keeps to it";
    case "23502":
      return "a masked value is NULL there: give its column constant, or sql that is never NULL";
    case "23503":
      return "give the columns of that foreign key the same mask";
    case "23P01":
      return "masked values overlap: give the columns of that constraint sql or public";
    case "53100":
      return "make room on the disk of the server";
    default:
      return "change the mask of that column";
  }
}
