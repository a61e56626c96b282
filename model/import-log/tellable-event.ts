import { tellableMessage } from "../masks/tellable";
import type { ImportEvent } from "./event";

/** A message of an import without what may be a value of a row: for contents that are to be masked. */
export function tellableEvent({ detail: _, ...event }: ImportEvent): ImportEvent {
  const { hint, context, ...rest } = event;
  const message = tellableMessage(event.sqlstate, event.message, context);
  const place = /^COPY .+?, line \d+(?:, column [^:"]+)?/.exec(context ?? "")?.[0];
  return {
    ...rest,
    message,
    statement: withoutRows(event.statement),
    // What a function of the application says is hidden whole.
    ...(hint === undefined || message !== event.message ? {} : { hint }),
    ...(place === undefined ? {} : { context: place }),
  };
}

/** Rows stand in `INSERT … VALUES (…)`, bytes of large objects in calls. */
function withoutRows(statement: string): string {
  return statement
    .replace(/^(\s*INSERT INTO .+?) ?(?:\([^)]*\) )?VALUES\b[^]*$/i, "$1 …")
    .replace(/^(\s*SELECT [^(]*\()[^]*$/i, "$1…");
}
