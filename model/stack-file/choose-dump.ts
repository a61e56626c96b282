import { nearestIds } from "../backup/nearest-ids";
import { parseDumpName, type BackupId } from "../base/names";

/** File name of the chosen dump, or the reason why there is none. */
export type DumpChoice = { readonly fileName: string } | { readonly problem: string };

/** Finds the dump with a backup id in the file names of a folder; if several databases share the id, that of `database`. */
export function chooseDump(
  fileNames: readonly string[],
  backup: BackupId,
  database: string | undefined,
): DumpChoice {
  const dumps = fileNames.flatMap((fileName) => {
    const name = parseDumpName(fileName);
    return name ? [{ fileName, ...name }] : [];
  });
  const matching = dumps.filter((dump) => dump.backup === backup);
  const sameDatabase = matching.filter((dump) => dump.database === database);
  const [chosen, ...others] = sameDatabase.length > 0 ? sameDatabase : matching;
  if (chosen && others.length === 0) return { fileName: chosen.fileName };
  if (chosen) {
    const names = [chosen, ...others].map(({ fileName }) => fileName).join(" and ");
    return { problem: `${backup} is the id of ${names}; set data.dump to the file itself` };
  }
  if (dumps.length === 0) {
    return {
      problem: `no backup ${backup}: the folder has no file named pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ending>`,
    };
  }
  const ids = nearestIds(
    backup,
    dumps.map((dump) => dump.backup),
  );
  return { problem: `no backup ${backup} in the folder; the nearest: ${ids.join(", ")}` };
}
