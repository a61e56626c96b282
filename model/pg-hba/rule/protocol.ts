import { z } from "zod";
import { sha256Schema } from "../../base/sha256";
import { includedFilesSchema } from "./included-files";
import { authMethods } from "./rule";

/** A connection that must work under new rules; if it fails, the rules are rolled back. */
export const requiredConnectionSchema = z.strictObject({
  /** Display name, e.g. `application`, `monitoring`. */
  name: z.string().min(1),
  user: z.string().min(1),
  /** Database name, or `replication` for a replica. */
  database: z.string().min(1),
  /** Transport: the Unix socket, or the network with or without TLS. */
  over: z.enum(["socket", "tls", "plain"]),
  /** The authentication method that the rules require. */
  method: z.enum(authMethods),
});
export type RequiredConnection = z.infer<typeof requiredConnectionSchema>;

/** stdin of `stagecraft-agent pg-hba`. */
export const pgHbaRequestSchema = z.strictObject({
  /** Name of the target server; an agent of another server rejects the request. */
  server: z.string().min(1),
  /** Contents of `pg_hba.conf`. */
  text: z.string().min(1),
  /** Connections tested after the reload; if one fails, the previous file is restored. */
  required: z.array(requiredConnectionSchema),
  /** Contents of `pg_ident.conf`. @default the file is left as it is */
  maps: z.string().optional(),
});
export type PgHbaRequest = z.infer<typeof pgHbaRequestSchema>;

/** stdout of `pg-hba`. */
export const pgHbaResultSchema = z.strictObject({
  /** `false` when the file was already active. */
  changed: z.boolean(),
  seconds: z.number().nonnegative(),
  /** Duration of each step in seconds, in order. */
  steps: z.array(z.strictObject({ name: z.string(), seconds: z.number().nonnegative() })),
});
export type PgHbaResult = z.infer<typeof pgHbaResultSchema>;

/** Observed state of the rules, as `observe` reports it. */
export const pgHbaObservationSchema = z.strictObject({
  /** Contents of `pg_hba.conf` on the server. */
  text: z.string(),
  sha256: sha256Schema,
  /** Whether PostgreSQL has read the file since it was changed. Absent for an external server, and from an older agent. */
  loaded: z.boolean().optional(),
  /** Contents of `pg_ident.conf`. Absent for an external server, and from an older agent. */
  maps: z.string().optional(),
  /** The files that it includes. Absent when there are none, and from an older agent. */
  included: includedFilesSchema.optional(),
});
export type PgHbaObservation = z.infer<typeof pgHbaObservationSchema>;

/** stdout of `pg-hba-check`: paths of `pg_hba.conf` and the data directory on the server's machine. */
export const hbaLocationSchema = z.strictObject({
  hbaFile: z.string().min(1),
  dataDirectory: z.string().min(1),
});
export type HbaLocation = z.infer<typeof hbaLocationSchema>;

/** stdout of `pg-hba-try`: whether the new rules are kept (`keep`) or rolled back (`back`). */
export const hbaTrialSchema = z.strictObject({
  outcome: z.enum(["keep", "back"]),
  /** Why the rules were rolled back; empty when they are kept. */
  text: z.string(),
});
export type HbaTrial = z.infer<typeof hbaTrialSchema>;
