import { execa } from "execa";
import { findOnPath } from "./folders";
import { type ReportProgress, RequirementError } from "./requirement";

/** Whether we may install Debian packages: as root, on Debian, Ubuntu and their like. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && findOnPath("apt-get") !== undefined;
}

/** Installs Debian packages, leaving out those that this release does not have and `optional` names. */
export async function installPackages(
  packages: { readonly needed: readonly string[]; readonly optional?: readonly string[] },
  progress: ReportProgress,
): Promise<void> {
  progress("reading package lists");
  await apt(["update"]);
  const names = [...packages.needed];
  for (const name of packages.optional ?? []) {
    if ((await candidateVersion(name)) !== undefined) names.push(name);
  }
  progress(`installing ${names.join(", ")}`);
  await apt(["install", "--yes", "--no-install-recommends", ...names]);
}

/** The version that apt would install, from the lists it has. */
export async function candidateVersion(name: string): Promise<string | undefined> {
  const { stdout } = await execa("apt-cache", ["policy", name], { reject: false });
  const version = /^\s*Candidate: (\S+)$/m.exec(stdout)?.[1];
  // An epoch ("2:1.24") says nothing to a person.
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

/** The end of a long output, for a message. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
