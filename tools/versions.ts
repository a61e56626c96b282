/** The versions that Stagecraft is tested with. To update the toolchain, change them here and in checksums.txt. */
export const versions = {
  /** Pulumi's CLI; a newer one on PATH is used instead. */
  pulumi: "3.256.0",
  /** The plugins must have the same version as the npm packages @pulumi/docker and @pulumi/command. */
  dockerPlugin: "5.2.0",
  commandPlugin: "1.2.1",
  oldestNode: "22.13.0",
  /** Node in the server image, and on machines whose own is too old. */
  node: "22.23.3",
  /** Highest version required by the Go modules in `toolchain/`; Go 1.21 and later download it. */
  go: "1.25.11",
  oldestGo: "1.21.0",
  oldestDockerEngine: "20.10.0",
  /**
   * Our name for the base image, so that Docker never pulls it by a tag: only tools/base-image.ts creates it. A later date in both
   * makes every machine replace it.
   */
  baseImage: "stagecraft-base:trixie-20260918",
  /** What it is pulled from, by the digest in tools/checksums.txt. */
  officialBaseImage: "debian:trixie-20260918-slim",
} as const;

/** Compares dotted numbers, ignoring what follows them: `isAtLeast("20.10.24+dfsg1", "20.10.0")`. */
export function isAtLeast(version: string, minimum: string): boolean {
  const numbers = (text: string): number[] =>
    (/\d+(\.\d+)*/.exec(text)?.[0] ?? "0").split(".").map(Number);
  const left = numbers(version);
  const right = numbers(minimum);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
