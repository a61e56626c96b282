import { z } from "zod";
import { splitSetting } from "../roles/role";
import type { SourceProperties } from "../base/database-settings";

/** Name of the file in a backup with the parameters of its server and databases. */
export const settingsFile = "settings.json";

const settingsFileSchema = z.object({
  databases: z.array(
    z.object({
      name: z.string(),
      connectionLimit: z.int(),
      /** As PostgreSQL stores them: `name=value`. */
      settings: z.array(z.string()),
      /** Backups of earlier versions have none. */
      comment: z.string().nullable().optional(),
    }),
  ),
});

/** The properties of a database, from the text of {@link settingsFile}; `undefined` if it does not have them. Throws for a text that is not such a file. */
export function propertiesIn(text: string, database: string): SourceProperties | undefined {
  const { databases } = settingsFileSchema.parse(JSON.parse(text));
  const found = databases.find(({ name }) => name === database);
  if (!found) return undefined;
  const settings = found.settings.map((setting) => {
    const [name, value] = splitSetting(setting);
    return { name, value };
  });
  return { settings, connectionLimit: found.connectionLimit, comment: found.comment };
}
