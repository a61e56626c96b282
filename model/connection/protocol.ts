import { z } from "zod";
import { addressProblem } from "./address";

/** TLS modes: with verification of the server's certificate, without it, or no TLS. PostgreSQL manual, 32.19. */
export const sslModes = ["verify-full", "require", "disable"] as const;
export type SslMode = (typeof sslModes)[number];

/** A host name or IP address that the agent's container can connect to. */
export const addressHostSchema = z.string().superRefine((host, context) => {
  const problem = addressProblem(host);
  if (problem !== undefined) context.addIssue(`must ${problem}`);
});

/** A password that a libpq password file can contain; never shown in messages. */
const passwordSchema = z
  .string()
  .min(1, "must not be empty")
  .regex(/^\P{Cc}*$/u, "must consist of printable characters");

/** stdin of `stagecraft-agent connection`: how to connect to the external server that the agent manages. */
export const connectionRequestSchema = z
  .strictObject({
    /** Name of the target server; an agent of another server rejects the request. */
    server: z.string().min(1),
    host: addressHostSchema,
    port: z.number().int().min(1).max(65_535),
    /** A superuser role. */
    user: z.string().min(1),
    password: passwordSchema,
    /** CA certificate to verify the server's certificate, in PEM. @default the system's trusted CAs */
    ca: z
      .string()
      .includes("-----BEGIN CERTIFICATE-----", {
        error: "must be a certificate in PEM, with the line -----BEGIN CERTIFICATE-----",
      })
      .optional(),
    sslmode: z.enum(sslModes),
  })
  .superRefine(({ ca, sslmode }, context) => {
    if (ca === undefined || sslmode === "verify-full") return;
    context.addIssue({
      code: "custom",
      path: ["ca"],
      message: `requires sslmode verify-full, ${sslmode} does not verify the certificate; remove one of them`,
    });
  });
export type ConnectionRequest = z.infer<typeof connectionRequestSchema>;

/** Properties of a server, read over the connection. */
const reachedSchema = z.strictObject({
  /** `server_version`, e.g. `17.11`. */
  postgres: z.string(),
  /** `hba_file`; a path on the server's machine. */
  hbaFile: z.string(),
  /** `data_directory`; a path on the server's machine. */
  dataDirectory: z.string(),
  /** The agent's source address, as the server sees it. */
  clientAddress: z.string(),
});
export type ReachedServer = z.infer<typeof reachedSchema>;

/** stdout of `connection`. */
export const connectionResultSchema = reachedSchema.extend({
  /** `false` when the agent already has this connection. */
  changed: z.boolean(),
});
export type ConnectionResult = z.infer<typeof connectionResultSchema>;

/** Observed state of the connection to an external server, as `observe` reports it. */
export const connectionObservationSchema = reachedSchema.extend({
  host: z.string(),
  port: z.number(),
  user: z.string(),
});
export type ConnectionObservation = z.infer<typeof connectionObservationSchema>;
