import type { DumpName } from "../base/names";
import type { BackupCompression, BackupFormat } from "./manifest";

/** What stands in a file name as it is; everything else as `%` and its bytes in hexadecimal, as in an address. */
const plain = /[A-Za-z0-9_.-]/;

/** A name as part of a file name: no two names have the same, and none is more than letters, digits, `_ - . %`. */
export function escapeFileName(name: string): string {
  return [...Buffer.from(name)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return plain.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

/** The name of a dump, as people know them: `pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ext>`. */
export function formatDumpName(
  { server, database, backup }: DumpName,
  format: BackupFormat,
  compression: BackupCompression,
): string {
  const moment = backup.replace("Z", "").replace("T", ".");
  // A dot ends the name of the server.
  const from = escapeFileName(server).replaceAll(".", "%2E");
  return `pg_dump.${from}.${escapeFileName(database)}.${moment}.${ending(format, compression)}`;
}

function ending(format: BackupFormat, compression: BackupCompression): string {
  if (format === "directory") return "dir";
  if (format === "custom") return "dump";
  const packed = { zstd: ".zst", lz4: ".lz4", gzip: ".gz", bzip2: ".bz2", none: "" }[compression];
  return `sql${packed}`;
}
