import { z } from "zod";
import { addressProblem } from "./address";

/** How far TLS goes: with the server's certificate checked, without, or not at all. PostgreSQL manual, 32.19. */
export const sslModes = ["verify-full", "require", "disable"] as const;
export type SslMode = (typeof sslModes)[number];

/** A host name or IP address that the agent's container reaches. */
export const addressHostSchema = z.string().superRefine((host, context) => {
  const problem = addressProblem(host);
  if (problem !== undefined) context.addIssue(`must ${problem}`);
});

/** A password, as libpq's password file can hold it; its text is never shown. */
const passwordSchema = z
  .string()
  .min(1, "must not be empty")
  .regex(/^\P{Cc}*$/u, "must be printable characters alone");

/** stdin of `stagecraft-agent connection`: where the server is that the agent looks after, when it is not its own. */
export const connectionRequestSchema = z
  .strictObject({
    /** The server this is meant for; the agent refuses when it is another. */
    server: z.string().min(1),
    host: addressHostSchema,
    port: z.number().int().min(1).max(65_535),
    /** A superuser. */
    user: z.string().min(1),
    password: passwordSchema,
    /** What the server's certificate is checked with, as PEM. Left out for an authority that every system knows. */
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
      message: `is for verify-full, ${sslmode} checks no certificate; leave one of them out`,
    });
  });
export type ConnectionRequest = z.infer<typeof connectionRequestSchema>;

/** What is known of a server once it has been reached. */
const reachedSchema = z.strictObject({
  /** `server_version`, e.g. `17.11`. */
  postgres: z.string(),
  /** What `SHOW hba_file` says; a path on the server's machine. */
  hbaFile: z.string(),
  /** Where its data is, on the server's machine. */
  dataDirectory: z.string(),
  /** The address that the server sees the agent come from. */
  clientAddress: z.string(),
});
export type Reached = z.infer<typeof reachedSchema>;

/** stdout of `connection`. */
export const connectionResultSchema = reachedSchema.extend({
  /** `false` when the agent had this connection already. */
  changed: z.boolean(),
});
export type ConnectionResult = z.infer<typeof connectionResultSchema>;

/** What `observe` tells of the way to a server that is not the agent's own. */
export const connectionObservationSchema = reachedSchema.extend({
  host: z.string(),
  port: z.number(),
  user: z.string(),
});
export type ConnectionObservation = z.infer<typeof connectionObservationSchema>;
