import type { AvailableBackups } from "../../../model/restore/available-backups";
import type { OffsiteSource } from "../../../model/restore/offsite-source";
import { withRemote } from "../../offsite/remote";
import { isVerified } from "../../../model/backup/catalogue";
import { readCatalogue, repositoryFolder } from "../../repository/repository";
import { sourceFolder } from "./find-backup";

/** The backups that a refresh can choose from: those of this server itself (`own`), or of the one whose volume it reads. */
export async function availableBackups(place = "source"): Promise<AvailableBackups> {
  const entries = await readCatalogue([], place === "own" ? repositoryFolder : sourceFolder);
  return entries.flatMap((entry) => {
    const { id, backup } = entry;
    if (!backup) return [];
    const { server, databases } = backup;
    return [
      { id, server, databases: databases.map(({ name }) => name), verified: isVerified(entry) },
    ];
  });
}

/** The off-site copies that a refresh can choose from. What is in them is known when they are fetched. */
export async function availableOffsiteCopies(source: OffsiteSource): Promise<AvailableBackups> {
  const { server } = source;
  const copies = await withRemote(source, server, async (remote) => remote.copies());
  return copies.map(({ id }) => ({ id, server, databases: [], verified: false }));
}
