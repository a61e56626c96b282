import type { AvailableBackups } from "../../../model/restore/available-backups";
import type { OffsiteSource } from "../../../model/restore/offsite-source";
import { withRemote } from "../../offsite/remote";
import { isVerified } from "../../../model/backup/catalogue";
import { readBackupCatalogue } from "../../repository/repository";
import { sourceFolder, sourceVolume } from "./find-backup";
import { sourceTrust } from "./source-trust";

/** The backups a refresh can use: this server's (`own`), or those of the server whose backup volume is mounted (`source`). */
export async function listAvailableBackups(repository = "source"): Promise<AvailableBackups> {
  const entries = await (repository === "own"
    ? readBackupCatalogue()
    : readBackupCatalogue([], sourceFolder, await sourceTrust(sourceVolume ?? "", sourceFolder)));
  return entries.flatMap((entry) => {
    const { id, backup } = entry;
    if (!backup) return [];
    const { server, databases } = backup;
    return [
      { id, server, databases: databases.map(({ name }) => name), verified: isVerified(entry) },
    ];
  });
}

/** The off-site copies a refresh can use. Their databases are unknown until a copy is fetched. */
export async function listOffsiteCopies(source: OffsiteSource): Promise<AvailableBackups> {
  const { server } = source;
  const copies = await withRemote(source, server, async (remote) => remote.copies());
  return copies.map(({ id }) => ({ id, server, databases: [], verified: false }));
}
