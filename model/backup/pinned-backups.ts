import { parseBackupId, type BackupId } from "../base/names";
import type { Pin } from "./catalogue";

/** The source of a stack's data, as its stack file names it. */
export type StackDataSource = ReadableSource | UnreadableSource;

interface ReadableSource {
  readonly stack: string;
  /** `data.from` of its stack file, e.g. `server:prod`; unchecked. */
  readonly from: unknown;
  /** `data.backup` of its stack file, a backup id if it is valid; unchecked. */
  readonly backup: unknown;
}

interface UnreadableSource {
  readonly stack: string;
  /** Why its stack file cannot be read. */
  readonly unreadable: string;
  /** The backup ids in the file. */
  readonly backups: readonly BackupId[];
}

/**
 * The backups of a server that stack files refer to. They must not be deleted.
 *
 * @param stack stack of the server
 * @param volume volume of the server's backups
 */
export function pinsFromStacks(
  stack: string,
  volume: string,
  sources: readonly StackDataSource[],
): Pin[] {
  return sources.flatMap((source) => {
    const by = source.stack;
    if ("unreadable" in source) return source.backups.map((backup) => ({ backup, by }));
    const { from, backup } = source;
    const isHere = from === `server:${stack}` || from === `volume:${volume}`;
    return isHere && isBackupId(backup) ? [{ backup, by }] : [];
  });
}

/** What is wrong with the stack files of other servers, where it concerns the backups of this one, a sentence each. */
export function pinWarnings(
  stack: string,
  volume: string,
  sources: readonly StackDataSource[],
): string[] {
  return sources.flatMap((source) => {
    if (source.stack === stack) return [];
    const file = `Pulumi.${source.stack}.yaml`;
    if ("unreadable" in source) {
      const ids = source.backups.join(", ") || "none";
      return [
        `${file} is not YAML: ${source.unreadable}; every backup id in it is retained: ${ids}`,
      ];
    }
    const { from, backup } = source;
    const isHere = from === `server:${stack}` || from === `volume:${volume}`;
    if (!isHere || backup === undefined || isBackupId(backup)) return [];
    return [
      `${file}: stagecraft:data.backup must be a backup id like 20261121T032900Z, got ${JSON.stringify(backup)}; no backup of ${stack} is retained for it`,
    ];
  });
}

function isBackupId(value: unknown): value is BackupId {
  return typeof value === "string" && parseBackupId(value) !== undefined;
}
