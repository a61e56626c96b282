import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import type { CertificateFacts } from "../../../model/tls/renewal";

/** A certificate (chain) and its key, in PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

/** Names and expiry of a certificate. */
export function factsOf(certificate: X509Certificate): CertificateFacts {
  const names = (certificate.subjectAltName ?? "")
    .split(", ")
    .flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []);
  return { names, expires: new Date(certificate.validTo) };
}

/** SHA-256 of a certificate, in hexadecimal. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

/** Parses the first certificate of a text; `undefined` when there is none. */
export function readCertificate(pem: string | undefined): X509Certificate | undefined {
  return pem === undefined ? undefined : attempt(() => new X509Certificate(pem));
}

/** Parses a private key; `undefined` when it is invalid or has a passphrase. */
export function readKey(pem: string | undefined): KeyObject | undefined {
  return pem === undefined ? undefined : attempt(() => createPrivateKey(pem));
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
