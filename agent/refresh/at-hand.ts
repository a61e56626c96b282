import type { BackupsAtHand } from "../../model/refresh/at-hand";
import { isVerified } from "../../model/backup/catalogue";
import { readCatalogue, repositoryFolder } from "../backup/repository";
import { sourceFolder } from "./source";

/** The backups that a refresh can choose from: those of this server itself (`own`), or of the one whose volume it reads. */
export async function backupsAtHand(place = "source"): Promise<BackupsAtHand> {
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
