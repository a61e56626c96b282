/** Classes of errors whose messages name objects and show no values. PostgreSQL manual, appendix A. */
const harmless = /^(?:0[8A]|01(?!000)|22|23|25|26|28|3[BDF]|40|42|5[3-8]|72|F0|HV|XX)/;

/** How PostgreSQL tells that a row breaks a constraint: by names alone. What a function says under that code may be anything. */
const constraintMessage =
  /^(?:null value in column|column|domain|insert or update on table|update or delete on table|duplicate key value|conflicting key value|could not create (?:unique index|exclusion constraint)|new row for relation|check constraint|value for domain|no partition of relation|partition constraint of relation)(?: (?:"(?:[^"]|"")*"|[\w.-]+))*$/;

const hidden = "a message that may hold values, and so is not shown";

/** How the context tells that a function of the application speaks: it may say anything, under any code. */
const functionSpeaks = /\bat RAISE\b|^PL\/(?!pgSQL)/m;

/**
 * A message of PostgreSQL's, as far as no value of a row can be in it: for contents that are not masked yet.
 * `sqlstate` is absent where it is not known, as of much that pg_restore tells.
 */
export function tellableMessage(
  sqlstate: string | undefined,
  message: string,
  context = "",
): string {
  if (functionSpeaks.test(context)) return hidden;
  if (sqlstate?.startsWith("23") && !constraintMessage.test(message)) return hidden;
  const namesColumn = /^missing data for column "[^"]*"$/.test(message);
  if (sqlstate === undefined || (sqlstate.startsWith("22") && !namesColumn))
    // Data exceptions name the value in quotes or behind a colon.
    return message.replace(/"[^]*$|: [^]*$/, "…");
  return harmless.test(sqlstate) ? message : hidden;
}
