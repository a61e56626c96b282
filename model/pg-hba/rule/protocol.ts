import { z } from "zod";
import { sha256Schema } from "../../base/sha256";
import { authMethods } from "./rule";

/** A connection that must work under new rules, or they are taken back. */
export const requiredConnectionSchema = z.strictObject({
  /** What people call it: `application`, `monitoring`. */
  name: z.string().min(1),
  user: z.string().min(1),
  /** Name of the database, or `replication` for a replica. */
  database: z.string().min(1),
  /** How it comes in: through the Unix socket, or over the network with or without TLS. */
  over: z.enum(["socket", "tls", "plain"]),
  /** The method that the rules ask it for. */
  method: z.enum(authMethods),
});
export type RequiredConnection = z.infer<typeof requiredConnectionSchema>;

/** stdin of `stagecraft-agent pg-hba`. */
export const pgHbaRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
  /** The whole file. */
  text: z.string().min(1),
  /** What is tried after the reload; the old file comes back when one fails. */
  required: z.array(requiredConnectionSchema),
});
export type PgHbaRequest = z.infer<typeof pgHbaRequestSchema>;

/** stdout of `pg-hba`. */
export const pgHbaResultSchema = z.strictObject({
  /** `false` when the file was there already, in force. */
  changed: z.boolean(),
  seconds: z.number().nonnegative(),
  /** Seconds of each step, in order. */
  steps: z.array(z.strictObject({ name: z.string(), seconds: z.number().nonnegative() })),
});
export type PgHbaResult = z.infer<typeof pgHbaResultSchema>;

/** What `observe` tells of the rules. */
export const pgHbaObservationSchema = z.strictObject({
  /** The whole file, as it is on the server. */
  text: z.string(),
  sha256: sha256Schema,
});
export type PgHbaObservation = z.infer<typeof pgHbaObservationSchema>;

/** stdout of `pg-hba-check`: where the file is on the server's machine, and PostgreSQL's data. */
export const hbaPlaceSchema = z.strictObject({
  hbaFile: z.string().min(1),
  dataDirectory: z.string().min(1),
});
export type HbaPlace = z.infer<typeof hbaPlaceSchema>;

/** stdout of `pg-hba-try`: whether the rules stay, and if not why. */
export const hbaTriedSchema = z.strictObject({
  outcome: z.enum(["keep", "back"]),
  /** For people; empty when they stay. */
  text: z.string(),
});
export type HbaTried = z.infer<typeof hbaTriedSchema>;
