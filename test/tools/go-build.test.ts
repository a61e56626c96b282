import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { buildGoProgram } from "../../tools/go-build";
import { scratchFolder } from "../support/files/scratch-folder";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Builds with a `go` that prints this text and fails. */
async function buildWith(output: string): Promise<{ folder: string; built: Promise<void> }> {
  const folder = await scratchFolder();
  const script = `#!/bin/sh
if [ "$1" = env ]; then echo go1.26.8; exit; fi
if [ "$GOFLAGS" != "-mod=readonly -buildvcs=false" ]; then echo "GOFLAGS=$GOFLAGS" >&2; exit 1; fi
cat >&2 <<'END'
${output}
END
exit 1
`;
  await writeFile(join(folder, "go"), script, { mode: 0o755 });
  vi.stubEnv("PATH", [folder, process.env["PATH"]].join(delimiter));
  vi.stubEnv("GOFLAGS", "-mod=mod -insecure");
  const built = buildGoProgram({ folder, package: "." }, join(folder, "out"), () => undefined);
  return { folder, built };
}

test("a Go module that is not the one in go.sum stops the build, with both checksums", async () => {
  // As Go 1.26 prints it.
  const { folder, built } = await buildWith(`go: downloading example.org/tool v1.2.0
verifying example.org/tool@v1.2.0: checksum mismatch
	downloaded: h1:got/of+the/proxy=
	go.sum:     h1:what/we+wrote=

SECURITY ERROR
This download does NOT match an earlier download recorded in go.sum.
The bits may have been replaced on the origin server, or an attacker may
have intercepted the download attempt.

For more information, see 'go help module-auth'.`);
  await expect(built).rejects.toMatchObject({
    name: "RequirementError",
    what: `the Go module example.org/tool@v1.2.0 has the checksum h1:got/of+the/proxy=, but ${folder}/go.sum expects h1:what/we+wrote=`,
  });
});

test("a toolchain that Go's checksum database does not know stops the build likewise", async () => {
  const { built } =
    await buildWith(`go: download go1.25.11: golang.org/toolchain@v0.0.1-go1.25.11.linux-amd64: verifying module: checksum mismatch
	downloaded: h1:got=
	sum.example.org: h1:expected=

SECURITY ERROR`);
  await expect(built).rejects.toMatchObject({
    what: "the Go module golang.org/toolchain@v0.0.1-go1.25.11.linux-amd64 has the checksum h1:got=, but sum.example.org expects h1:expected=",
  });
});

test("any other failure shows what Go says, and what would help", async () => {
  const { folder, built } = await buildWith("main.go:1:1: expected 'package'");
  await expect(built).rejects.toThrow(
    `go build in ${folder} failed: main.go:1:1: expected 'package'\n  fix   make a Go module proxy (GOPROXY) reachable, then run this again`,
  );
});
