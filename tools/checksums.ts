import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { toolsFolder } from "./folders";
import { RequirementError } from "./requirement";

/** The file with the checksums of all downloads; see its first lines. */
const checksumsFile = (): string => toolsFolder("checksums.txt");

/** The SHA-256 of a download in hexadecimal, by the name of its file or image; `undefined` if it has no line. */
export function findChecksum(name: string, file = checksumsFile()): string | undefined {
  return readChecksums(file).get(name);
}

/** Like {@link findChecksum}; raises {@link RequirementError} if the download has no line. */
export function requireChecksum(name: string, file = checksumsFile()): string {
  const checksum = findChecksum(name, file);
  if (checksum !== undefined) return checksum;
  throw new RequirementError(
    `${name} is not downloaded, because tools/checksums.txt has no checksum for it`,
    "add its SHA-256 to that file, from a source that you trust",
  );
}

/** Compares a downloaded file with the line of its name; raises {@link RequirementError} if it is another one. */
export async function verifyChecksum(path: string, file = checksumsFile()): Promise<void> {
  const name = basename(path);
  const expected = requireChecksum(name, file);
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const got = hash.digest("hex");
  if (got === expected) return;
  throw new RequirementError(
    `${name} has the SHA-256 ${got}, but tools/checksums.txt expects ${expected}`,
    "nothing was installed; run this again, and report it if it happens again: somebody may have replaced the file",
  );
}

/** Checksums by name; a line that is neither a comment nor a checksum raises an error, so that none is ignored. */
function readChecksums(file: string): Map<string, string> {
  const checksums = new Map<string, string>();
  for (const [index, line] of readFileSync(file, "utf8").split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const [, checksum, name] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? [];
    if (checksum === undefined || name === undefined || checksums.has(name)) {
      throw new Error(`${file}, line ${index + 1}: not a checksum, two spaces and a new name`);
    }
    checksums.set(name, checksum);
  }
  return checksums;
}
