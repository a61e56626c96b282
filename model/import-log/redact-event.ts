import { redactMessage } from "../masks/redact-message";
import type { ImportEvent } from "./event";

/** Removes everything from a message that may be a value of a row, for contents that will be masked. */
export function redactEvent({ detail: _, ...event }: ImportEvent): ImportEvent {
  const { hint, context, ...rest } = event;
  const message = redactMessage(event.sqlstate, event.message, context);
  const position = /^COPY .+?, line \d+(?:, column [^:"]+)?/.exec(context ?? "")?.[0];
  return {
    ...rest,
    message,
    statement: withoutRows(event.statement),
    // If the message was redacted, the hint may contain values, too.
    ...(hint === undefined || message !== event.message ? {} : { hint }),
    ...(position === undefined ? {} : { context: position }),
  };
}

/** Removes the rows of `INSERT … VALUES (…)`, and the bytes of large objects in function calls. */
function withoutRows(statement: string): string {
  return statement
    .replace(/^(\s*INSERT INTO .+?) ?(?:\([^)]*\) )?VALUES\b[^]*$/i, "$1 …")
    .replace(/^(\s*SELECT [^(]*\()[^]*$/i, "$1…");
}
