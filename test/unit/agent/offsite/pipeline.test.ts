import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runPipeline } from "../../../../agent/offsite/pipeline";
import { Remote } from "../../../../agent/offsite/remote";
import { offsiteConfigSchema } from "../../../../model/backup/offsite-config";

const folder = mkdtempSync(join(tmpdir(), "stagecraft-pipeline-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A program of a pipeline, as a line of the shell. */
const sh = (script: string, ...args: readonly string[]) => ({
  program: "sh",
  args: ["-c", script, "sh", ...args],
});

describe("a pipeline", () => {
  test("hands the output of each program to the next, and lets it be watched", async () => {
    const pieces: Buffer[] = [];
    const last = { ...sh("tr a-z A-Z"), onOutput: (piece: Buffer) => pieces.push(piece) };
    await runPipeline([sh("cat; echo more"), last], { input: "some\n" });
    expect(Buffer.concat(pieces).toString()).toBe("SOME\nMORE\n");
  });

  test("never lets the last program take a part for the whole", async () => {
    const file = join(folder, "whole");
    const cut = sh("echo a part; echo it broke >&2; exit 3");
    const keep = sh('cat > "$1.partial" && mv "$1.partial" "$1"', file);
    await expect(runPipeline([cut, sh("cat"), keep])).rejects.toMatchObject({
      ...{ program: "sh", status: 3, stderr: "it broke\n" },
    });
    expect(existsSync(file)).toBe(false);
  });

  test("tells of the program that failed, and not of those that lost it", async () => {
    const endless = sh("exec cat /dev/zero");
    const full = sh("head -c 100000 > /dev/null; echo no space >&2; exit 1");
    await expect(runPipeline([endless, sh("exec cat"), full])).rejects.toMatchObject({
      stderr: "no space\n",
    });
    const slow = sh("exec <&-; sleep 0.3; echo no right >&2; exit 1");
    await expect(runPipeline([endless, sh("exec cat"), slow])).rejects.toMatchObject({
      stderr: "no right\n",
    });
    await expect(
      runPipeline([sh("exit 0"), { program: "no-such-program", args: [] }]),
    ).rejects.toThrow(/no-such-program/);
  });

  test("ends when it is told to, with the reason", async () => {
    const end = new AbortController();
    const running = runPipeline([sh("exec sleep 60"), sh("exec cat")], { signal: end.signal });
    end.abort(new Error("the window closed"));
    await expect(running).rejects.toThrow("the window closed");
  });

  test("gives a secret to one program, in no argument", async () => {
    const pieces: Buffer[] = [];
    const reader = {
      ...sh("cat <&3"),
      secret: "hush",
      onOutput: (piece: Buffer) => pieces.push(piece),
    };
    await runPipeline([reader]);
    expect(Buffer.concat(pieces).toString()).toBe("hush");
  });
});

test("programs that a place keeps waiting are ended, with what to change", async () => {
  const settings = offsiteConfigSchema.parse({
    ...{ remote: "s3:bucket", recipients: [`age1${"q".repeat(58)}`], limit: "1 s" },
  });
  const remote = new Remote(settings, "prod");
  const wait = remote.run([{ program: "sleep", args: ["60"] }], "", 0.1);
  await expect(wait).rejects.toThrow(
    /^s3:bucket: timed out after .*; use a faster connection, or raise backups\.offsite\.limit/,
  );
  await expect(remote.run([{ program: "true", args: [] }])).resolves.toBeUndefined();
});
