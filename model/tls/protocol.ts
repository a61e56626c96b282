import { z } from "zod";
import { certificateNameProblem } from "./names";

/** A name that clients reach a server by: a DNS name or an IP address. */
export const certificateNameSchema = z.string().superRefine((name, context) => {
  const problem = certificateNameProblem(name);
  if (problem !== undefined) context.addIssue(`must ${problem}`);
});

const pemOf = (what: string, ...labels: readonly string[]) =>
  z.string().refine((text) => labels.some((label) => text.includes(`-----BEGIN ${label}-----`)), {
    // Its text is never shown: it may be a key.
    error: `must be ${what} in PEM, with the line -----BEGIN ${labels[0] ?? ""}-----`,
  });

/** A certificate that a person has from elsewhere, all in PEM. */
const givenCertificateSchema = {
  /** The certificate of the server, and behind it those that lead to the authority. */
  certificate: pemOf("a certificate", "CERTIFICATE").optional(),
  /** Its private key, without a passphrase. */
  key: pemOf(
    "a private key without a passphrase",
    "PRIVATE KEY",
    "EC PRIVATE KEY",
    "RSA PRIVATE KEY",
  ).optional(),
  /** The authority that clients trust. Left out for one that every system knows. */
  ca: pemOf("a certificate", "CERTIFICATE").optional(),
};

/** stdin of `stagecraft-agent tls`. */
export const tlsRequestSchema = z
  .strictObject({
    /** The server this is meant for; the agent refuses when it is another. */
    server: z.string().min(1),
    /** DNS names and IP addresses that clients reach the server by. */
    names: z.array(certificateNameSchema).min(1, "must have at least one name"),
    ...givenCertificateSchema,
  })
  .superRefine(({ certificate, key, ca }, context) => {
    const fail = (field: string, message: string): void => {
      context.addIssue({ code: "custom", path: [field], message });
    };
    if (certificate !== undefined && key === undefined) {
      fail("key", "is missing; a certificate needs its private key");
    }
    if (certificate === undefined && key !== undefined) {
      fail("certificate", "is missing; a private key needs its certificate");
    }
    if (certificate === undefined && ca !== undefined) {
      fail("certificate", "is missing; without one the server makes its own authority");
    }
  });
export type TlsRequest = z.infer<typeof tlsRequestSchema>;

/** stdout of `tls`. */
export const tlsResultSchema = z.strictObject({
  /** What clients name as `sslrootcert`, in PEM; `null` for a given certificate of an authority that systems know. */
  ca: z.string().nullable(),
  /** When the server's certificate ends. */
  expires: z.iso.datetime(),
  /** DNS names and IP addresses in the certificate. */
  names: z.array(z.string()),
  /** Whether PostgreSQL got another certificate. */
  changed: z.boolean(),
  /** Why it got one, e.g. `it ends in 12 days`; empty when it did not. */
  reason: z.string(),
  /** What a person should know, a sentence each. */
  warnings: z.array(z.string()),
});
export type TlsResult = z.infer<typeof tlsResultSchema>;

/** What is seen of a server's TLS, for drift. */
export const tlsObservationSchema = z.strictObject({
  /** Whether PostgreSQL offers TLS. */
  on: z.boolean(),
  /** SHA-256 of the server's certificate, in hexadecimal; `null` while there is none of ours. */
  fingerprint: z.string().nullable(),
  expires: z.iso.datetime().nullable(),
  names: z.array(z.string()),
  /** Whether the certificate was given by a person; such a one is not renewed. */
  given: z.boolean(),
});
export type TlsObservation = z.infer<typeof tlsObservationSchema>;
