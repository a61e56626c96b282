import type { DumpName } from "../base/names";
import type { BackupCompression, BackupFormat } from "./manifest";

/** Characters that are not escaped. */
const plain = /[A-Za-z0-9_.-]/;

/** Escapes a name for use in a file name, as in a URL: injective, with only letters, digits and `_ - . %` in the result. */
export function escapeFileName(name: string): string {
  return [...Buffer.from(name)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return plain.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

/** File name of a dump: `pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ext>`. */
export function formatDumpName(
  { server, database, backup }: DumpName,
  format: BackupFormat,
  compression: BackupCompression,
): string {
  const time = backup.replace("Z", "").replace("T", ".");
  // A dot terminates the server name.
  const from = escapeFileName(server).replaceAll(".", "%2E");
  return `pg_dump.${from}.${escapeFileName(database)}.${time}.${ending(format, compression)}`;
}

function ending(format: BackupFormat, compression: BackupCompression): string {
  if (format === "directory") return "dir";
  if (format === "custom") return "dump";
  const extension = { zstd: ".zst", lz4: ".lz4", gzip: ".gz", bzip2: ".bz2", none: "" }[
    compression
  ];
  return `sql${extension}`;
}
