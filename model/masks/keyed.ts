/**
 * SQL that depends on the server's key. The key is in settings of the session, so no statement shows it, and nothing
 * has to be installed for it: `sha256` is PostgreSQL's own.
 */

/** What digests are made for; each has a key of its own, so that a value masked in two ways gives nothing away. */
export const purposes = ["hash", "email", "name", "phone", "shift", "noise", "number"] as const;
export type Purpose = (typeof purposes)[number];

/** The setting that holds the outer key, in hexadecimal. */
export const outerSetting = "stagecraft.mask_outer";

/** The setting that holds the inner key of a purpose, in hexadecimal. */
export const innerSetting = (purpose: Purpose): string => `stagecraft.mask_${purpose}`;

/** HMAC-SHA-256 (RFC 2104) of a `bytea`. */
export function hmac(purpose: Purpose, bytes: string): string {
  return `sha256(${keyBytes(outerSetting)} || ${digest(purpose, bytes)})`;
}

/** A digest of a `bytea` that always has the same length, for which a key in front is enough. */
export function digest(purpose: Purpose, bytes: string): string {
  return `sha256(${keyBytes(innerSetting(purpose))} || ${bytes})`;
}

/** A number below 2^48 out of a digest. */
export function numberOf(bytes: string): string {
  return `('x' || encode(substring(${bytes} FROM 1 FOR 6), 'hex'))::bit(48)::bigint`;
}

/** A number below 2^16 out of a digest, from its byte `at` on. */
export function smallNumberOf(bytes: string, at: number): string {
  return `((get_byte(${bytes}, ${at}) << 8) | get_byte(${bytes}, ${at + 1}))`;
}

/** A text as the bytes it is in UTF-8; what has no encoding is taken as it is. */
export function textBytes(text: string, encoding: string): string {
  return `convert_to(${text}, '${encoding === "SQL_ASCII" ? "SQL_ASCII" : "UTF8"}')`;
}

/** A subquery without anything from outside, so PostgreSQL computes it once. */
function keyBytes(setting: string): string {
  return `(SELECT decode(current_setting('${setting}'), 'hex'))`;
}
