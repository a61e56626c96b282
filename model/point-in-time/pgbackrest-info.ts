import { z } from "zod";

/** A base backup in the archive. */
export interface BaseBackup {
  /** pgBackRest's label, e.g. `20261122-010003F`. */
  readonly label: string;
  readonly type: "full" | "differential" | "incremental";
  /** Start of the time that can be recovered with this backup. */
  readonly stoppedAt: Date;
  /** Size of the cluster in bytes, which a recovery needs. */
  readonly bytes: number;
  /** Size of the backup in the archive, in bytes. */
  readonly storedBytes: number;
}

/** The archive's contents for one cluster. */
export interface StanzaInfo {
  readonly stanza: string;
  /** pgBackRest's error message; `undefined` if there is none. */
  readonly problem: string | undefined;
  /** Oldest first. */
  readonly backups: readonly BaseBackup[];
  /** The newest WAL segment, and its folder in the archive. */
  readonly newest: { readonly folder: string; readonly segment: string } | undefined;
}

const types = { full: "full", diff: "differential", incr: "incremental" } as const;

// Only the fields used here; newer versions of pgBackRest may add more.
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

/** Status code for no valid backups: a new stanza. pgBackRest's documentation, "Info Command". */
const noBackups = 2;

/** Names from the archive, which PostgreSQL's user can write to; others could lead out of it. */
const names = { stanza: /^cluster-\d+$/, archive: /^\d+-\d+$/, segment: /^[0-9A-F]{24}$/ };

/** Parses the output of `pgbackrest info --output=json`. Folders with other names than Stagecraft's are ignored. */
export function parseInfo(json: string): StanzaInfo[] {
  const stanzas = infoSchema.parse(JSON.parse(json)).filter(({ name }) => names.stanza.test(name));
  return stanzas.map(({ name, status, archive, backup }) => {
    const newest = archive
      .filter(({ id, max }) => names.archive.test(id) && max !== null && names.segment.test(max))
      .at(-1);
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
