import { z } from "zod";
import { applicationObservationSchema } from "../application/protocol";
import { backupsObservationSchema } from "../backup/protocol";
import { connectionObservationSchema } from "../connection/protocol";
import { pgHbaObservationSchema } from "../pg-hba/rule/protocol";
import { archiveObservationSchema } from "../point-in-time/protocol";
import { parametersObservationSchema } from "../parameters/protocol";
import { databaseFactsSchema, restoreResultSchema } from "../restore/protocol";
import { rolesObservationSchema } from "../roles/protocol";
import { tlsObservationSchema } from "../tls/protocol";

/** What of a server is put in force by a command of its own, and counted. */
export const areas = [
  "connection",
  "settings",
  "roles",
  "tls",
  "pg-hba",
  "archive",
  "backups",
  "application",
] as const;
export type Area = (typeof areas)[number];

/** stdout of `observe`: what a preview and `stagecraft status` want to know of a server. */
export const observationSchema = z.strictObject({
  server: z.string(),
  agentVersion: z.string(),
  postgresVersion: z.string(),
  systemIdentifier: z.string(),
  /** Restores that have succeeded on this server so far. */
  generation: z.number().int().nonnegative(),
  /** The generation of each area that was put in force last; see {@link desiredGeneration}. */
  generations: z.partialRecord(z.enum(areas), z.number().int().positive()),
  databases: z.array(databaseFactsSchema),
  /** Bytes free for PostgreSQL's data; `null` where it is on another machine. */
  freeBytes: z.number().nonnegative().nullable(),
  /** The newest restore, whatever became of it. */
  lastRestore: restoreResultSchema.nullable(),
  /** Networks that the server is in, with its addresses: `172.18.0.3/16`. */
  interfaces: z.array(z.string()),
  /** The way to a server that is not the agent's own. */
  connection: connectionObservationSchema.optional(),
  settings: parametersObservationSchema,
  roles: rolesObservationSchema,
  tls: tlsObservationSchema,
  pgHba: pgHbaObservationSchema,
  archive: archiveObservationSchema,
  backups: backupsObservationSchema,
  /** The server's application, where it has one. */
  application: applicationObservationSchema.optional(),
});
export type Observation = z.infer<typeof observationSchema>;

/**
 * The generation of an area that an update asks for. It stays while all is as wanted, so that a second `up` changes
 * nothing; it is the next one after a drift, so that the preview shows a change and `up` mends it.
 */
export function desiredGeneration(
  area: Area,
  observation: Observation | undefined,
  isAsWanted: (seen: Observation) => boolean,
): number {
  const last = observation?.generations[area] ?? 0;
  return observation && last > 0 && isAsWanted(observation) ? last : last + 1;
}
