import { z } from "zod";
import { certificateNameProblem } from "./certificate-name";

/** A name that clients use to connect to a server: a DNS name or an IP address. */
export const certificateNameSchema = z.string().superRefine((name, context) => {
  const problem = certificateNameProblem(name);
  if (problem !== undefined) context.addIssue(`must ${problem}`);
});

const pemOf = (what: string, ...labels: readonly string[]) =>
  z.string().refine((text) => labels.some((label) => text.includes(`-----BEGIN ${label}-----`)), {
    // The value is never shown: it may be a private key.
    error: `must be ${what} in PEM, with the line -----BEGIN ${labels[0] ?? ""}-----`,
  });

/** A certificate supplied by the user, in PEM. */
const givenCertificateSchema = {
  /** The server's certificate, followed by the intermediate certificates. */
  certificate: pemOf("a certificate", "CERTIFICATE").optional(),
  /** Its private key, without a passphrase. */
  key: pemOf(
    "a private key without a passphrase",
    "PRIVATE KEY",
    "EC PRIVATE KEY",
    "RSA PRIVATE KEY",
  ).optional(),
  /** The CA certificate that clients trust. @default the system's trusted CAs */
  ca: pemOf("a certificate", "CERTIFICATE").optional(),
};

/** stdin of `stagecraft-agent tls`. */
export const tlsRequestSchema = z
  .strictObject({
    /** Name of the target server; an agent of another server rejects the request. */
    server: z.string().min(1),
    /** DNS names and IP addresses that clients connect to. */
    names: z.array(certificateNameSchema).min(1, "must have at least one name"),
    ...givenCertificateSchema,
    /** The CA certificates that PostgreSQL verifies client certificates with. @default it verifies none */
    clientCa: pemOf("a certificate", "CERTIFICATE").optional(),
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
      fail("certificate", "is missing; without one the server creates its own CA");
    }
  });
export type TlsRequest = z.infer<typeof tlsRequestSchema>;

/** stdout of `tls`. */
export const tlsResultSchema = z.strictObject({
  /** The CA certificate for `sslrootcert` of clients, in PEM; `null` for a supplied certificate of a public CA. */
  ca: z.string().nullable(),
  /** When the server's certificate expires. */
  expires: z.iso.datetime(),
  /** DNS names and IP addresses in the certificate. */
  names: z.array(z.string()),
  /** Whether PostgreSQL's certificate was replaced. */
  changed: z.boolean(),
  /** Why it was replaced, e.g. `it expires in 12 days`; empty when it was not. */
  reason: z.string(),
  /** Warnings for the user, one sentence each. */
  warnings: z.array(z.string()),
});
export type TlsResult = z.infer<typeof tlsResultSchema>;

/** Observed state of a server's TLS, for drift detection. */
export const tlsObservationSchema = z.strictObject({
  /** Whether TLS is enabled in PostgreSQL. */
  on: z.boolean(),
  /** SHA-256 of the server's certificate, in hexadecimal; `null` when Stagecraft has not installed one. */
  fingerprint: z.string().nullable(),
  expires: z.iso.datetime().nullable(),
  names: z.array(z.string()),
  /** Whether the certificate was supplied by the user; Stagecraft does not renew it. */
  given: z.boolean(),
  /** Whether PostgreSQL verifies client certificates with the CA that the last `up` installed. Absent from an older agent. */
  clientCa: z.boolean().optional(),
});
export type TlsObservation = z.infer<typeof tlsObservationSchema>;
