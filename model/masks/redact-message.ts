/** SQLSTATE classes whose messages contain names but no values. PostgreSQL manual, appendix A. */
const harmless = /^(?:0[8A]|01(?!000)|22|23|25|26|28|3[BDF]|40|42|5[3-8]|72|F0|HV|XX)/;

/** PostgreSQL's messages about violated constraints, which contain only names. Functions can raise any text with the same code. */
const constraintMessage =
  /^(?:null value in column|column|domain|insert or update on table|update or delete on table|duplicate key value|conflicting key value|could not create (?:unique index|exclusion constraint)|new row for relation|check constraint|value for domain|no partition of relation|partition constraint of relation)(?: (?:"(?:[^"]|"")*"|[\w.-]+))*$/;

const hidden = "a message that may contain values and is not shown";

/** Contexts of messages raised by functions of the application, which can contain any text. */
const raisedByFunction = /\bat RAISE\b|^PL\/(?!pgSQL)/m;

/**
 * Removes everything from a message of PostgreSQL that may be a value of a row, for contents that are not masked yet.
 * @param sqlstate `undefined` when unknown, as for many messages of pg_restore
 */
export function redactMessage(sqlstate: string | undefined, message: string, context = ""): string {
  if (raisedByFunction.test(context)) return hidden;
  if (sqlstate?.startsWith("23") && !constraintMessage.test(message)) return hidden;
  const namesColumn = /^missing data for column "[^"]*"$/.test(message);
  if (sqlstate === undefined || (sqlstate.startsWith("22") && !namesColumn))
    // Data exceptions contain the value in quotes or after a colon.
    return message.replace(/"[^]*$|: [^]*$/, "…");
  return harmless.test(sqlstate) ? message : hidden;
}
