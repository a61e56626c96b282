import { coversName } from "./names";

/** How long a certificate of ours is good for, in days. Longer ones are refused by some clients. */
export const validDays = { authority: 3650, server: 397 } as const;

/** With fewer days left a certificate is renewed. An authority is, while certificates that it signs can outlive it. */
export const renewalDays = { authority: validDays.server + 30, server: 30 } as const;

const dayMs = 86_400_000;

/** What is known of a certificate. */
export interface CertificateFacts {
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly expires: Date;
}

/** Why the server needs another certificate, as a sentence goes on after "because"; `undefined` when it keeps its own. */
export function serverRenewal(
  { names, expires }: CertificateFacts,
  wanted: readonly string[],
  now: Date,
): string | undefined {
  const missing = wanted.filter((name) => !coversName(names, name));
  if (missing.length > 0) return `it lacks ${missing.join(", ")}`;
  const gone = names.filter((name) => !coversName(wanted, name));
  if (gone.length > 0) return `it has ${gone.join(", ")}, which is not the server's any more`;
  return endingSoon(expires, renewalDays.server, now);
}

/** Why the authority needs another certificate. Its key stays, so what clients have of it is good until it ends. */
export function authorityRenewal(expires: Date, now: Date): string | undefined {
  return endingSoon(expires, renewalDays.authority, now);
}

function endingSoon(expires: Date, days: number, now: Date): string | undefined {
  const left = Math.floor((expires.getTime() - now.getTime()) / dayMs);
  if (left < 0) return `it ended on ${expires.toISOString().slice(0, 10)}`;
  return left < days ? `it ends in ${left === 1 ? "1 day" : `${left} days`}` : undefined;
}

/** What a person should know of a certificate they gave. */
export function givenWarnings(
  { names, expires }: CertificateFacts,
  wanted: readonly string[],
  now: Date,
): string[] {
  const missing = wanted.filter((name) => !coversName(names, name));
  const ending = endingSoon(expires, renewalDays.server, now);
  return [
    ...(missing.length > 0
      ? [
          `the given certificate is for ${names.join(", ") || "no name"}: sslmode=verify-full will refuse ${missing.join(", ")}`,
        ]
      : []),
    ...(ending === undefined ? [] : [`the given certificate must be replaced: ${ending}`]),
  ];
}
