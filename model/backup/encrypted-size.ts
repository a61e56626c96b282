import type { BackupFile } from "./manifest";

const block = 512;

/** Approximate size in bytes of a tar of the files, encrypted with age; never too small. */
export function encryptedBytes(files: readonly Pick<BackupFile, "bytes">[]): number {
  const tar = files.reduce(
    (sum, { bytes }) => sum + 4 * block + Math.ceil(bytes / block) * block,
    64 * 1024,
  );
  // age adds a header, and 16 bytes to each 64 KiB.
  return tar + 16 * Math.ceil(tar / 65_536) + 4096;
}
