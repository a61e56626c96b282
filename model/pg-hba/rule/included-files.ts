import { z } from "zod";

/** The files that a `pg_hba.conf` on a server includes: by `include`, `include_dir` and `@file`. */
export const includedFilesSchema = z.strictObject({
  /** Path of the `pg_hba.conf`. */
  path: z.string(),
  /** Contents of the included files, by absolute path. */
  files: z.record(z.string(), z.string()),
  /** Names of the files in the included folders, by absolute path. */
  folders: z.record(z.string(), z.array(z.string())),
});
export type IncludedFiles = z.infer<typeof includedFilesSchema>;
