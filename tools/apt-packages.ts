import { execa } from "execa";
import { findOnPath } from "./folders";
import { type ProgressCallback, RequirementError } from "./requirement";

/** Whether we can install Debian packages: as root, on Debian, Ubuntu and derivatives. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && findOnPath("apt-get") !== undefined;
}

/** Installs Debian packages; those in `optional` only if this release has them. */
export async function installPackages(
  packages: { readonly needed: readonly string[]; readonly optional?: readonly string[] },
  progress: ProgressCallback,
): Promise<void> {
  progress("updating package lists");
  await apt(["update"]);
  const names = [...packages.needed];
  for (const name of packages.optional ?? []) {
    if ((await candidateVersion(name)) !== undefined) names.push(name);
  }
  progress(`installing ${names.join(", ")}`);
  await apt(["install", "--yes", "--no-install-recommends", ...names]);
}

/** The version that apt would install, according to the current package lists; `undefined` if there is none. */
export async function candidateVersion(name: string): Promise<string | undefined> {
  const { stdout } = await execa("apt-cache", ["policy", name], { reject: false });
  const version = /^\s*Candidate: (\S+)$/m.exec(stdout)?.[1];
  // The epoch ("2:1.24") is not part of the upstream version.
  return version === "(none)" ? undefined : version?.replace(/^\d+:/, "");
}

async function apt(args: readonly string[]): Promise<void> {
  const result = await execa("apt-get", ["--quiet", "-o", "DPkg::Lock::Timeout=120", ...args], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "ignore",
    reject: false,
    all: true,
  });
  if (result.failed) {
    throw new RequirementError(
      `apt-get ${args.join(" ")} failed: ${lastLines(result.all, 5)}`,
      "repair the package sources of this machine, then run this again",
    );
  }
}

/** The last lines of a long output, for a message. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
