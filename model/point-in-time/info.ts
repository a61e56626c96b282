import { z } from "zod";

/** A base backup in the archive. */
export interface BaseBackup {
  /** pgBackRest's name for it, e.g. `20261122-010003F`. */
  readonly label: string;
  readonly type: "full" | "differential" | "incremental";
  /** From here on every moment can be recovered. */
  readonly stoppedAt: Date;
  /** Size of the cluster, so what a recovery takes. */
  readonly bytes: number;
  /** What the backup itself takes in the archive. */
  readonly storedBytes: number;
}

/** What the archive has of one cluster. */
export interface StanzaInfo {
  readonly stanza: string;
  /** What is wrong with it, in pgBackRest's words; `undefined` when nothing is. */
  readonly problem: string | undefined;
  /** Oldest first. */
  readonly backups: readonly BaseBackup[];
  /** The newest segment of the write-ahead log, and the folder of the archive it is in. */
  readonly newest: { readonly folder: string; readonly segment: string } | undefined;
}

const types = { full: "full", diff: "differential", incr: "incremental" } as const;

// Only what is needed here: a newer pgBackRest may tell more.
const infoSchema = z.array(
  z.object({
    name: z.string(),
    status: z.object({ code: z.number(), message: z.string() }),
    archive: z.array(z.object({ id: z.string(), max: z.string().nullable() })),
    backup: z.array(
      z.object({
        label: z.string(),
        type: z.enum(["full", "diff", "incr"]),
        error: z.boolean().nullish(),
        timestamp: z.object({ stop: z.number() }),
        info: z.object({
          size: z.number(),
          repository: z.object({ delta: z.number() }),
        }),
      }),
    ),
  }),
);

/** No valid backups: a stanza that is new. pgBackRest's documentation, "Info Command". */
const noBackups = 2;

/** Reads what `pgbackrest info --output=json` prints. */
export function readInfo(json: string): StanzaInfo[] {
  return infoSchema.parse(JSON.parse(json)).map(({ name, status, archive, backup }) => {
    const newest = archive.filter(({ max }) => max !== null).at(-1);
    return {
      stanza: name,
      problem: [0, noBackups].includes(status.code) ? undefined : status.message,
      backups: backup.map(({ label, type, timestamp, info }) => ({
        label,
        type: types[type],
        stoppedAt: new Date(timestamp.stop * 1000),
        bytes: info.size,
        storedBytes: info.repository.delta,
      })),
      newest:
        newest?.max == null
          ? undefined
          : { folder: `${name}/${newest.id}/${newest.max.slice(0, 16)}`, segment: newest.max },
    };
  });
}
