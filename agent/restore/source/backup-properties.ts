import path from "node:path";
import { propertiesIn, settingsFile } from "../../../model/backup/settings-file";
import type { SourceProperties } from "../../../model/base/database-settings";
import { sha256Of } from "../../system/digest";
import { readIfRegularFile } from "../../system/regular-file";
import type { FoundBackup } from "./find-backup";

/** What a backup says about the properties of a database. */
export type FoundProperties =
  | { readonly properties: SourceProperties | undefined }
  /** It has them in a file that cannot be used; the contents of the database do not depend on it. */
  | { readonly problem: string };

/** The parameters, connection limit and comment of a database in a backup. */
export async function readBackupProperties({
  manifest,
  database,
  folder,
}: Pick<FoundBackup, "manifest" | "database" | "folder">): Promise<FoundProperties> {
  const file = manifest.files.find(({ path }) => path === settingsFile);
  if (!file) return { properties: undefined };
  const bytes = await readIfRegularFile(path.join(folder, file.path));
  const problem = `the parameters of the database were left out: ${settingsFile} of backup ${manifest.id} is missing or altered`;
  if (!bytes || sha256Of(bytes) !== file.sha256) return { problem };
  try {
    return { properties: propertiesIn(bytes.toString("utf8"), database.name) };
  } catch {
    return { problem };
  }
}
