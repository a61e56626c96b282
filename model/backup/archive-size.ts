import type { BackupFile } from "./manifest";

const block = 512;

/** About how many bytes a tar of files has when it is encrypted with age, rounded up. */
export function encryptedBytes(files: readonly Pick<BackupFile, "bytes">[]): number {
  const tar = files.reduce(
    (sum, { bytes }) => sum + 4 * block + Math.ceil(bytes / block) * block,
    64 * 1024,
  );
  // age adds 16 bytes to each 64 KiB, and a head.
  return tar + 16 * Math.ceil(tar / 65_536) + 4096;
}
