import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { columnsFile } from "../../../model/backup/columns-file";
import type { MaskCatalogue } from "../../../model/masks/catalogue";
import { maskCatalogueSchema } from "../../../model/masks/catalogue-schema";
import { sha256Of } from "../../system/digest";
import { readRegularFile } from "../../system/regular-file";
import type { FoundBackup } from "./find-backup";

/** The columns of a database in a backup; `undefined` when the backup has no such file, or it was altered. */
export async function readBackupColumns({
  manifest,
  database,
  folder,
}: FoundBackup): Promise<MaskCatalogue | undefined> {
  const file = manifest.files.find(({ path }) => path === columnsFile(database.dump));
  if (!file) return undefined;
  try {
    const compressed = await readRegularFile(path.join(folder, file.path));
    if (!compressed || sha256Of(compressed) !== file.sha256) return undefined;
    const text = (await promisify(gunzip)(compressed)).toString("utf8");
    return maskCatalogueSchema.parse(JSON.parse(text));
  } catch {
    // The refresh reads the columns from the restored database.
    return undefined;
  }
}
