import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { findOnPath } from "./folders";
import { candidateVersion, canInstallPackages, installPackages, lastLines } from "./apt-packages";
import { type ProgressCallback, RequirementError } from "./requirement";
import { isAtLeast, versions } from "./versions";

/** A program to build from a Go module of `tools/toolchain`. */
export interface GoProgram {
  /** The folder with go.mod and go.sum. */
  readonly folder: string;
  /** The package with `main`; `.` for the module's root. */
  readonly package: string;
  /** Go variables set by the linker, by qualified name. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
}

/** Builds a program from its sources and exactly the modules in go.sum. */
export async function buildGoProgram(
  program: GoProgram,
  output: string,
  progress: ProgressCallback,
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
  let downloaded = 0;
  build.all.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().trimEnd().split("\n")) {
      if (line.startsWith("go: downloading")) downloaded++;
      else compiled++;
    }
    progress(compiled > 0 ? `${compiled} packages compiled` : `${downloaded} modules downloaded`);
  });
  const { failed, all } = await build;
  if (failed) {
    throw new RequirementError(
      `go build in ${program.folder} failed: ${lastLines(all, 5)}`,
      "make a Go module proxy (GOPROXY) or Pulumi's official downloads reachable, then run this again",
    );
  }
}

/** Overrides flags of the user that would change the result; proxy and cache remain. */
function goEnvironment(): NodeJS.ProcessEnv {
  return {
    GOFLAGS: "-mod=readonly -buildvcs=false",
    GOWORK: "off",
    GOTOOLCHAIN: "auto",
    CGO_ENABLED: "0",
  };
}

async function findGo(progress: ProgressCallback): Promise<string> {
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
    "Pulumi's downloads are unreachable, and Go is not installed to build it",
    `make https://get.pulumi.com reachable, or install Go ${versions.go} or newer: https://go.dev/doc/install`,
  );
}

/** The `go` command on PATH or in its default folder; a version older than the modules require downloads the required one. */
async function usableGo(): Promise<string | undefined> {
  const defaultPath = join("/usr/local/go/bin", "go");
  const go = findOnPath("go") ?? (existsSync(defaultPath) ? defaultPath : undefined);
  if (go === undefined) return undefined;
  const { stdout } = await execa(go, ["env", "GOVERSION"], { reject: false });
  return isAtLeast(stdout.replace(/^go/, ""), versions.oldestGo) ? go : undefined;
}
