import type { Client } from "pg";
import type { IncludedFiles } from "../../../model/pg-hba/rule/included-files";
import { parsePgHba } from "../../../model/pg-hba/text/parse";
import { includeReader } from "../../../model/pg-hba/text/rules-on-server";

/** Limits of what is read, so that a preview stays short. */
const maxFiles = 200;
const maxFileBytes = 2 ** 20;

/**
 * Reads the files that a `pg_hba.conf` includes, directly or not, by SQL as a superuser: PostgreSQL reads them itself.
 * `undefined` when there are none.
 */
export async function readIncludedFiles(
  client: Client,
  text: string,
): Promise<IncludedFiles | undefined> {
  if (!/^\s*"?include|@/m.test(text)) return undefined;
  const { rows } = await client.query<{ path: string; version: number }>(
    `SELECT current_setting('hba_file') AS path, current_setting('server_version_num')::int / 10000 AS version`,
  );
  const { path = "pg_hba.conf", version = 17 } = rows[0] ?? {};
  const files: Record<string, string> = {};
  const folders: Record<string, string[]> = {};
  for (let known = -1; known !== countOf(files, folders) && countOf(files, folders) < maxFiles;) {
    known = countOf(files, folders);
    const missing = new Set<string>();
    const missingFolders = new Set<string>();
    const reader = includeReader({ path, files, folders });
    parsePgHba(text, {
      ...{ name: path, version },
      readInclude: (file) => {
        if (!Object.hasOwn(files, file)) missing.add(file);
        return reader.readInclude(file);
      },
      listFolder: (folder) => {
        if (!Object.hasOwn(folders, folder)) missingFolders.add(folder);
        return reader.listFolder(folder);
      },
    });
    for (const folder of missingFolders) {
      const names = await listFolder(client, folder);
      if (names) folders[folder] = names;
    }
    for (const file of [...missing].slice(0, maxFiles)) {
      const contents = await readFile(client, file);
      if (contents !== undefined) files[file] = contents;
    }
  }
  return { path, files, folders };
}

const countOf = (files: object, folders: object): number =>
  Object.keys(files).length + Object.keys(folders).length;

async function readFile(client: Client, file: string): Promise<string | undefined> {
  const { rows } = await client
    .query<{ bytes: Buffer | null }>("SELECT pg_read_binary_file($1, 0, $2, true) AS bytes", [
      file,
      maxFileBytes,
    ])
    // A folder, or a file that PostgreSQL may not read.
    .catch(() => ({ rows: [] }));
  return rows[0]?.bytes?.toString("utf8");
}

async function listFolder(client: Client, folder: string): Promise<string[] | undefined> {
  const { rows } = await client
    .query<{ name: string }>("SELECT name FROM pg_ls_dir($1) AS name ORDER BY name", [folder])
    .catch(() => ({ rows: undefined }));
  return rows?.map(({ name }) => name).filter((name) => name.endsWith(".conf"));
}
