import { coversName } from "./certificate-name";

/** Validity of Stagecraft's certificates, in days. Some clients reject server certificates that are valid longer. */
export const validDays = { authority: 3650, server: 397 } as const;

/** A certificate with fewer remaining days is renewed; a CA early enough to outlive the certificates it signs. */
export const renewalDays = { authority: validDays.server + 30, server: 30 } as const;

const dayMs = 86_400_000;

/** Names and expiry of a certificate. */
export interface CertificateFacts {
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly expires: Date;
}

/** Why the server's certificate must be replaced, as the rest of a sentence after "because"; `undefined` when it need not be. */
export function serverRenewalReason(
  { names, expires }: CertificateFacts,
  required: readonly string[],
  now: Date,
): string | undefined {
  const missing = required.filter((name) => !coversName(names, name));
  if (missing.length > 0) return `it lacks ${missing.join(", ")}`;
  const obsolete = names.filter((name) => !coversName(required, name));
  if (obsolete.length > 0) return `it has ${obsolete.join(", ")}, which the server no longer has`;
  return expiresSoon(expires, renewalDays.server, now);
}

/** Why the CA's certificate must be renewed; `undefined` when it need not be. Its key is kept, so clients can use the previous certificate until it expires. */
export function authorityRenewalReason(expires: Date, now: Date): string | undefined {
  return expiresSoon(expires, renewalDays.authority, now);
}

function expiresSoon(expires: Date, days: number, now: Date): string | undefined {
  const left = Math.floor((expires.getTime() - now.getTime()) / dayMs);
  if (left < 0) return `it expired on ${expires.toISOString().slice(0, 10)}`;
  return left < days ? `it expires in ${left === 1 ? "1 day" : `${left} days`}` : undefined;
}

/** Warnings about a certificate supplied by the user, one sentence each. */
export function suppliedCertificateWarnings(
  { names, expires }: CertificateFacts,
  required: readonly string[],
  now: Date,
): string[] {
  const missing = required.filter((name) => !coversName(names, name));
  const expiry = expiresSoon(expires, renewalDays.server, now);
  return [
    ...(missing.length > 0
      ? [
          `the supplied certificate is for ${names.join(", ") || "no name"}: clients with sslmode=verify-full will reject ${missing.join(", ")}`,
        ]
      : []),
    ...(expiry === undefined ? [] : [`the supplied certificate must be replaced: ${expiry}`]),
  ];
}
