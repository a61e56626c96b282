import { AgentError, messageOf } from "../errors";

/** What PostgreSQL tells of an error. */
interface Told {
  readonly code?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly dataType?: string;
}

/** Classes of errors whose messages name objects and show no values. PostgreSQL manual, appendix A. */
const harmless = /^(?:0A|08|23|25|26|28|3[BDF]|40|42|5[3-8]|72|F0|HV|XX)/;

/** What PostgreSQL said, as far as no value of a row can be in it. */
export function failureText(error: unknown): string {
  const { code = "", constraint, column, dataType } = error as Told;
  if (code === "") return messageOf(error);
  if (harmless.test(code)) return `${code}  ${messageOf(error)}`;
  const named = constraint ?? column ?? dataType;
  return `${code}  ${shownPart(code, messageOf(error))}${named === undefined ? "" : ` (${named})`}`;
}

/** Data exceptions name the value in quotes or behind a colon; what a function of the application says may be anything. */
function shownPart(code: string, message: string): string {
  return code.startsWith("22")
    ? message.replace(/"[^]*$|: [^]*$/, "…")
    : "a message that may hold values, and so is not shown";
}

/** An error that stops the masking, with the table and the fix. Never with a value: those are what is to be hidden. */
export function maskFailure(what: string, error: unknown, fix = fixFor(error)): AgentError {
  return new AgentError(`${what}: ${failureText(error)}; ${fix}`, { cause: undefined });
}

function fixFor(error: unknown): string {
  const { code = "" } = error as Told;
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
