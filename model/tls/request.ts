import { isIpAddress } from "./names";

/** What `openssl req -x509` makes a certificate by: whom it is for, and what it may be used for. RFC 5280, 4.2.1. */
export function authorityConfig(server: string): string {
  return config(`Stagecraft authority of ${server}`, [
    "basicConstraints = critical, CA:TRUE, pathlen:0",
    "keyUsage = critical, keyCertSign, cRLSign",
    "subjectKeyIdentifier = hash",
  ]);
}

/** The same for a server's certificate, with the names that clients reach it by. */
export function serverConfig(server: string, names: readonly string[]): string {
  const alternatives = names.map((name) => `${isIpAddress(name) ? "IP" : "DNS"}:${name}`);
  return config(`PostgreSQL of ${server}`, [
    "basicConstraints = critical, CA:FALSE",
    "keyUsage = critical, digitalSignature",
    "extendedKeyUsage = serverAuth",
    "subjectKeyIdentifier = hash",
    "authorityKeyIdentifier = keyid",
    `subjectAltName = ${alternatives.join(", ")}`,
  ]);
}

function config(commonName: string, extensions: readonly string[]): string {
  // A common name has at most 64 characters, and may hold none that openssl reads as its own.
  const subject = commonName.replace(/[^\w .-]/g, "_").slice(0, 64);
  return [
    ...["[req]", "prompt = no", "distinguished_name = subject", "x509_extensions = extensions"],
    ...["utf8 = yes", "string_mask = utf8only"],
    ...["[subject]", `commonName = ${subject}`, "[extensions]", ...extensions, ""],
  ].join("\n");
}
