import { isIpAddress } from "./certificate-name";

/** The `openssl req -x509` configuration for a CA certificate: subject and extensions. RFC 5280, 4.2.1. */
export function authorityConfig(server: string): string {
  return config(`Stagecraft authority of ${server}`, [
    "basicConstraints = critical, CA:TRUE, pathlen:0",
    "keyUsage = critical, keyCertSign, cRLSign",
    "subjectKeyIdentifier = hash",
  ]);
}

/** The `openssl req -x509` configuration for a server certificate. @param names DNS names and IP addresses that clients connect to */
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
  // At most 64 characters (RFC 5280), without those that have a meaning in openssl's configuration.
  const subject = commonName.replace(/[^\w .-]/g, "_").slice(0, 64);
  return [
    "[req]",
    "prompt = no",
    "distinguished_name = subject",
    "x509_extensions = extensions",
    "utf8 = yes",
    "string_mask = utf8only",
    "[subject]",
    `commonName = ${subject}`,
    "[extensions]",
    ...extensions,
    "",
  ].join("\n");
}
