/**
 * SQL expressions that depend on the server's mask key. The key is in parameters of the session, so that it does not appear
 * in statements. Only PostgreSQL's built-in `sha256` is needed.
 */

/** Purposes of digests. Each has its own key, so that differently masked copies of a value cannot be linked. */
export const purposes = ["hash", "email", "name", "phone", "shift", "noise", "number"] as const;
export type Purpose = (typeof purposes)[number];

/** The session parameter with the outer HMAC key, in hexadecimal. */
export const outerKeySetting = "stagecraft.mask_outer";

/** The session parameter with the inner HMAC key of a purpose, in hexadecimal. */
export const innerKeySetting = (purpose: Purpose): string => `stagecraft.mask_${purpose}`;

/** HMAC-SHA-256 (RFC 2104) of a `bytea`. */
export function hmac(purpose: Purpose, bytes: string): string {
  return `sha256(${keyBytes(outerKeySetting)} || ${keyedDigest(purpose, bytes)})`;
}

/** A keyed digest of a `bytea` of fixed length, for which prefixing the key is secure. */
export function keyedDigest(purpose: Purpose, bytes: string): string {
  return `sha256(${keyBytes(innerKeySetting(purpose))} || ${bytes})`;
}

/** A number below 2^48 from a digest. */
export function numberOf(bytes: string): string {
  return `('x' || encode(substring(${bytes} FROM 1 FOR 6), 'hex'))::bit(48)::bigint`;
}

/** A number below 2^16 from two bytes of a digest. @param at index of the first byte */
export function smallNumberOf(bytes: string, at: number): string {
  return `((get_byte(${bytes}, ${at}) << 8) | get_byte(${bytes}, ${at + 1}))`;
}

/** Converts a text to its bytes in UTF-8; in a database with SQL_ASCII the bytes are unchanged. */
export function textBytes(text: string, encoding: string): string {
  return `convert_to(${text}, '${encoding === "SQL_ASCII" ? "SQL_ASCII" : "UTF8"}')`;
}

/** An uncorrelated subquery, which PostgreSQL evaluates once. */
function keyBytes(parameter: string): string {
  return `(SELECT decode(current_setting('${parameter}'), 'hex'))`;
}
