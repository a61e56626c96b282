import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { findOnPath } from "./folders";
import { candidateVersion, canInstallPackages, installPackages, lastLines } from "./apt-packages";
import { type ReportProgress, RequirementError } from "./requirement";
import { isAtLeast, versions } from "./versions";

/** One program to build from a Go module of `tools/toolchain`. */
export interface GoProgram {
  /** The folder with go.mod and go.sum. */
  readonly folder: string;
  /** The package with `main`, `.` for the module's own. */
  readonly package: string;
  /** Go variables that the linker sets, by their full names. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
}

/** Builds a program from its sources and the modules that go.sum names, and no others. */
export async function buildGoProgram(
  program: GoProgram,
  output: string,
  progress: ReportProgress,
): Promise<void> {
  const go = await findGo(progress);
  const variables = Object.entries(program.variables ?? {});
  const linker = ["-s", "-w", ...variables.map(([name, value]) => `-X ${name}=${value}`)];
  const tags = program.tags === undefined ? [] : ["-tags", program.tags.join(",")];
  const args = ["build", "-v", "-trimpath", ...tags, "-ldflags", linker.join(" "), "-o", output];
  const build = execa(go, [...args, program.package], {
    cwd: program.folder,
    env: goEnvironment(),
    stdin: "ignore",
    reject: false,
    all: true,
  });
  let compiled = 0;
  let fetched = 0;
  build.all.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().trimEnd().split("\n")) {
      if (line.startsWith("go: downloading")) fetched++;
      else compiled++;
    }
    progress(compiled > 0 ? `${compiled} packages compiled` : `${fetched} modules fetched`);
  });
  const { failed, all } = await build;
  if (failed) {
    throw new RequirementError(
      `go build in ${program.folder} failed: ${lastLines(all, 5)}`,
      "make a Go module proxy reachable (GOPROXY) or the official downloads of Pulumi, then run this again",
    );
  }
}

/** The user's proxy and cache, but none of the flags that change what is built. */
function goEnvironment(): NodeJS.ProcessEnv {
  return {
    GOFLAGS: "-mod=readonly -buildvcs=false",
    GOWORK: "off",
    GOTOOLCHAIN: "auto",
    CGO_ENABLED: "0",
  };
}

async function findGo(progress: ReportProgress): Promise<string> {
  const found = await usableGo();
  if (found !== undefined) return found;
  if (canInstallPackages()) {
    await installPackages({ needed: ["ca-certificates"] }, progress);
    if (isAtLeast((await candidateVersion("golang-go")) ?? "0", versions.oldestGo)) {
      await installPackages({ needed: ["golang-go"] }, progress);
      const installed = await usableGo();
      if (installed !== undefined) return installed;
    }
  }
  throw new RequirementError(
    "Pulumi's downloads cannot be reached, and there is no Go to build it with",
    `make https://get.pulumi.com reachable, or install Go ${versions.go} or newer: https://go.dev/doc/install`,
  );
}

/** Go from PATH or its usual place; one that is older than the modules ask for fetches what it needs. */
async function usableGo(): Promise<string | undefined> {
  const usual = join("/usr/local/go/bin", "go");
  const go = findOnPath("go") ?? (existsSync(usual) ? usual : undefined);
  if (go === undefined) return undefined;
  const { stdout } = await execa(go, ["env", "GOVERSION"], { reject: false });
  return isAtLeast(stdout.replace(/^go/, ""), versions.oldestGo) ? go : undefined;
}
