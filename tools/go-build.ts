import { existsSync } from "node:fs";
import { basename, join } from "node:path";
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
  /** What makes the build unnecessary, as the beginning of a sentence: `make … reachable`. */
  readonly instead?: string;
}

/** Builds a program from its sources and exactly the modules in go.sum. */
export async function buildGoProgram(
  program: GoProgram,
  output: string,
  progress: ProgressCallback,
): Promise<void> {
  const go = await findGo(program, progress);
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
  if (failed) throw wrongModule(all, program) ?? buildFailed(all, program);
}

/** What Go says of a module that is not the one in go.sum, in one sentence; `undefined` for any other failure. */
function wrongModule(output: string, { folder }: GoProgram): RequirementError | undefined {
  const pattern =
    /(?:verifying (\S+@\S+)|(\S+@\S+): verifying \S+): checksum mismatch\s+downloaded: (\S+)\s+(\S+): +(\S+)/;
  const match = pattern.exec(output);
  if (match === null) return undefined;
  const [, listed, fetched, got = "", source = "", expected = ""] = match;
  const file = source === "go.sum" ? join(folder, source) : source;
  return new RequirementError(
    `the Go module ${listed ?? fetched ?? ""} has the checksum ${got}, but ${file} expects ${expected}`,
    "nothing was built; remove it with: go clean -modcache   and report it if it happens again: somebody may have replaced the module",
  );
}

function buildFailed(output: string, { folder, instead }: GoProgram): RequirementError {
  const proxy = "make a Go module proxy (GOPROXY) reachable";
  return new RequirementError(
    `go build in ${folder} failed: ${lastLines(output, 5)}`,
    `${instead === undefined ? proxy : `${proxy}, or ${instead}`}, then run this again`,
  );
}

/**
 * Overrides flags of the user that would change the result; proxy and cache remain. With -mod=readonly, Go compares every module
 * with go.sum and rejects one that it does not list. A toolchain that Go downloads is compared with Go's checksum database, which
 * no setting can turn off.
 */
function goEnvironment(): NodeJS.ProcessEnv {
  return {
    GOFLAGS: "-mod=readonly -buildvcs=false",
    GOWORK: "off",
    GOTOOLCHAIN: "auto",
    CGO_ENABLED: "0",
  };
}

async function findGo(program: GoProgram, progress: ProgressCallback): Promise<string> {
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
  const install = `install Go ${versions.go} or newer: https://go.dev/doc/install`;
  throw new RequirementError(
    `Go is not installed, which is needed to build ${basename(program.folder)} from source`,
    program.instead === undefined ? install : `${program.instead}, or ${install}`,
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
