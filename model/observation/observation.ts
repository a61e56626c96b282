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

/** Areas of a server that are applied by separate commands, each with a generation number. */
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

/** stdout of `observe`: the observed state of a server, for previews and `stagecraft status`. */
export const observationSchema = z.strictObject({
  server: z.string(),
  agentVersion: z.string(),
  postgresVersion: z.string(),
  systemIdentifier: z.string(),
  /** Number of successful restores on this server. */
  generation: z.number().int().nonnegative(),
  /** The last applied generation of each area; see {@link desiredGeneration}. */
  generations: z.partialRecord(z.enum(areas), z.number().int().positive()),
  databases: z.array(databaseFactsSchema),
  /** Free bytes on PostgreSQL's volume; `null` if PostgreSQL is on another machine. */
  freeBytes: z.number().nonnegative().nullable(),
  /** The last restore, successful or not. */
  lastRestore: restoreResultSchema.nullable(),
  /** Addresses of the server with their networks: `172.18.0.3/16`. */
  interfaces: z.array(z.string()),
  /** The connection to an external server. */
  connection: connectionObservationSchema.optional(),
  settings: parametersObservationSchema,
  roles: rolesObservationSchema,
  tls: tlsObservationSchema,
  pgHba: pgHbaObservationSchema,
  archive: archiveObservationSchema,
  backups: backupsObservationSchema,
  /** The server's application, if it has one. */
  application: applicationObservationSchema.optional(),
});
export type Observation = z.infer<typeof observationSchema>;

/**
 * The generation of an area that an update requests. It stays the same while the area is up to date, so that a second
 * `up` changes nothing; after drift it is the next one, so that the preview shows a change and `up` corrects the drift.
 */
export function desiredGeneration(
  area: Area,
  observation: Observation | undefined,
  isUpToDate: (observed: Observation) => boolean,
): number {
  const last = observation?.generations[area] ?? 0;
  return observation && last > 0 && isUpToDate(observation) ? last : last + 1;
}
