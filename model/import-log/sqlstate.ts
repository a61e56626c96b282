/**
 * SQLSTATEs of messages that pg_restore prints as text only (PostgreSQL manual, appendix A). Contains only messages that
 * matter for the verdict; all others have no SQLSTATE and count as unknown.
 */
const known: readonly (readonly [RegExp, string])[] = [
  [/^unrecognized configuration parameter/, "42704"],
  [/^invalid value for parameter/, "22023"],
  [/^no privileges could be revoked/, "01006"],
  [/^no privileges were granted/, "01007"],
  [/^tables declared WITH OIDS are not supported/, "0A000"],
  [/^there is no unique constraint matching given keys/, "42830"],
  [/^materialized view .* has not been populated/, "55000"],
  [/^could not access file/, "58P01"],
  [/^(?:function|procedure|aggregate|operator|routine) .* does not exist/, "42883"],
  [
    /^relation .* does not exist|^table .* does not exist|^view .* does not exist|^sequence .* does not exist/,
    "42P01",
  ],
  [/^schema .* does not exist/, "3F000"],
  [/^column .* does not exist/, "42703"],
  [/^database .* does not exist/, "3D000"],
  [/^schema .* already exists/, "42P06"],
  [/^relation .* already exists/, "42P07"],
  [/^function .* already exists/, "42723"],
  [/^extension .* is not available/, "0A000"],
  [/^could not open extension control file/, "58P01"],
  [/^invalid byte sequence for encoding/, "22021"],
  [/has no equivalent in encoding/, "22P05"],
  [/^invalid input (?:syntax|value)/, "22P02"],
  [
    /^missing data for column|^extra data after last|^unterminated CSV|^literal (?:newline|carriage return) found/,
    "22P04",
  ],
  [/violates foreign key constraint/, "23503"],
  [/violates unique constraint|^could not create unique index/, "23505"],
  [/violates check constraint/, "23514"],
  [/violates not-null constraint|^null value in column/, "23502"],
  [/^permission denied|^must be owner/, "42501"],
  [/^syntax error/, "42601"],
  [/No space left on device|^could not extend file/, "53100"],
  [/^out of shared memory|^out of memory/, "53200"],
  [/^terminating connection due to administrator command/, "57P01"],
  [/^the database system is (?:shutting down|starting up|in recovery)/, "57P03"],
  [
    /server closed the connection unexpectedly|connection to server .* failed|no connection to the server|connection not open|terminating connection because of crash/,
    "08006",
  ],
  [/^current transaction is aborted/, "25P02"],
  [/^operator does not exist/, "42883"],
  // Last, because the more specific messages above may contain these words.
  [/does not exist/, "42704"],
  [/already exists/, "42710"],
];

/** The SQLSTATE of a message, if known. */
export function sqlstateOf(message: string): string | undefined {
  return known.find(([pattern]) => pattern.test(message))?.[1];
}
