import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogueSchema } from "../../model/backup/catalogue-protocol";
import { docker, label, useServer, type CommandResult } from "../support/servers/server";
import { writeDumpedBackup, repository } from "../support/backups/dumped-backup";
import { checkout } from "../support/files/checkout";

const server = useServer();
const prefix = `sct-cli-${randomBytes(4).toString("hex")}`;
const [first, second, third] = ["20261119T032900Z", "20261120T032900Z", "20261121T032900Z"];

/** A project whose stack `dev` is the server of this file, and whose staging names its first backup. */
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stagecraft-cli-"));
  mkdirSync(join(folder, "stacks"));
  writeFileSync(join(folder, "Pulumi.yaml"), "name: stagecraft\nruntime: nodejs\n");
  const common = `config:\n  stagecraft:namePrefix: ${prefix}\n`;
  writeFileSync(join(folder, "Pulumi.dev.yaml"), common);
  writeFileSync(
    join(folder, "Pulumi.staging.yaml"),
    `${common}  stagecraft:data:\n    from: server:dev\n    backup: ${first}`,
  );
  const image = await docker("inspect", "--format", "{{.Config.Image}}", server.agentContainer);
  await docker(
    ...["run", "--detach", "--name", `${prefix}-dev-agent`, "--label", `${label}=${server.name}`],
    ...["--volumes-from", server.agentContainer, "--network", server.name, "--read-only"],
    ...["--tmpfs", "/tmp", "--cap-drop", "ALL", "--env", "STAGECRAFT_SERVER=dev"],
    ...["--env", "STAGECRAFT_KIND=development", image, "stagecraft-agent", "serve"],
  );
  await server.createDatabase("shop", "CREATE TABLE public.t AS SELECT generate_series(1, 1234)");
  for (const id of [first, second, third])
    await writeDumpedBackup(server, { id, database: "shop" });
});

afterAll(async () => {
  await execa("docker", ["rm", "--force", `${prefix}-dev-agent`], { reject: false });
  rmSync(folder, { recursive: true, force: true });
});

async function stagecraft(...args: readonly string[]): Promise<CommandResult> {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [join(checkout, "bin/stagecraft.js"), "backups", ...args],
    { cwd: folder, reject: false, stdin: "ignore" },
  );
  return { status: exitCode ?? -1, stdout, stderr };
}

describe("backups of a server", () => {
  it("are verified: a good one passes, an altered one fails with the reason", async () => {
    const good = await stagecraft("verify", "dev", first);
    expect(good.stdout).toMatch(
      new RegExp(
        `^backup ${first} passed   restored 1 database: 1 table with 1,234 rows, as in the manifest · `,
      ),
    );
    expect(good.status).toBe(0);
    await server.run(["sh", "-c", `cd ${repository}/${third} && echo >notes.txt`]);
    const bad = await stagecraft("verify", "dev", third);
    expect(bad).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining(
        `error: backup ${third} failed verification:\n  notes.txt does not belong to this backup`,
      ) as string,
    });
  });

  it("are listed with their verification and retention, also as JSON", async () => {
    const { stdout, status } = await stagecraft("dev");
    expect(status).toBe(0);
    expect(stdout.split("\n").map((line) => line.replace(/ {2,}/g, "|"))).toEqual([
      "id|age|databases|size|verified|retained by|where",
      expect.stringMatching(new RegExp(`^${third}\\|.*\\|shop\\|.*\\|✘ verification failed\\|`)),
      expect.stringMatching(new RegExp(`^${second}\\|.*\\|shop\\|.*\\|not yet\\|not verified yet`)),
      expect.stringMatching(
        new RegExp(`^${first}\\|.*\\|shop\\|.*\\|✔ restored .*\\|daily · .*staging\\|here`),
      ),
      expect.stringMatching(/^next: no schedule · newest verified .* old · .* free$/),
    ]);
    const json = await stagecraft("dev", "--json");
    const { entries } = catalogueSchema.parse(JSON.parse(json.stdout));
    expect(entries.map(({ id, pins }) => [id, pins])).toEqual([
      [first, ["staging"]],
      [second, []],
      [third, []],
    ]);
  });

  it("are retained by rules: a dry run shows which, and why", async () => {
    const { stdout } = await stagecraft("forget", "dev", "--dry-run");
    const lines = stdout.split("\n").map((line) => line.replace(/ {2,}/g, "|"));
    expect(lines[0]).toMatch(new RegExp(`^${first}\\|retained\\|daily · `));
    expect(lines).toHaveLength(3);
  });

  it("are downloaded completely, and get their name when all files have arrived", async () => {
    const { stdout, status } = await stagecraft("download", "dev", first, folder);
    expect(stdout).toMatch(/all files match the manifest$/);
    expect(status).toBe(0);
    expect(existsSync(join(folder, first, "manifest.json"))).toBe(true);
    const again = await stagecraft("download", "dev", first, folder);
    expect(again.stderr).toBe(
      `error: ${join(folder, first)} already exists\n  fix  use another folder`,
    );
    const altered = await stagecraft("download", "dev", third, folder);
    expect(altered.stderr).toBe(
      `error: the download of backup ${third} differs from the original: notes.txt does not belong to this backup\n  fix  download it again`,
    );
    expect(altered.status).toBe(1);
    expect(existsSync(join(folder, third))).toBe(false);
    expect(existsSync(join(folder, `${third}.partial`))).toBe(false);
  });

  it("are deleted, unless nobody can confirm, a stack file names them, or no verified one would be left", async () => {
    const unasked = await stagecraft("delete", "dev", second);
    expect(unasked.stderr).toBe(
      `error: there is no terminal to confirm on; nothing has been deleted\n  fix  npx stagecraft backups delete dev ${second} --yes`,
    );
    expect(unasked.status).toBe(2);
    const named = await stagecraft("delete", "dev", first, second, "--yes");
    expect(named.stderr).toBe(
      `error: nothing was deleted: ${first} is used by staging: set data.backup of that stack to another id first\n  ${first} is the last verified backup: verify another one first`,
    );
    expect(named.status).toBe(2);
    const done = await stagecraft("delete", "dev", second, third, "--yes", "--json");
    expect(JSON.parse(done.stdout)).toEqual({ removed: [second, third] });
    const left = await server.run(["ls", repository]);
    expect(left.stdout).toBe(`${first}\nrecords\n`);
  });

  it("of another database are counted for it: the last verified one is deleted only if that is said", async () => {
    const other = "20261122T032900Z";
    await server.createDatabase("billing", "CREATE TABLE public.b AS SELECT 1 AS i");
    await writeDumpedBackup(server, { id: other, database: "billing" });
    expect(await stagecraft("verify", "dev")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`backup ${other} passed`) as string,
    });
    const refused = await stagecraft("delete", "dev", other, "--yes");
    expect(refused.stderr).toBe(
      "error: nothing was deleted: no other verified backup has billing: verify another one first, or add --last-of billing if that is no longer needed",
    );
    expect(refused.status).toBe(2);
    const forgotten = await stagecraft("forget", "dev", "--json");
    expect(JSON.parse(forgotten.stdout)).toMatchObject({ removed: [] });
    const done = await stagecraft("delete", "dev", other, "--last-of", "billing", "--yes");
    expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining(other) as string });
  });

  it("are restored by a refresh, never on production, and only if they exist", async () => {
    const missing = await stagecraft("restore", "staging", "20200101T000000Z");
    expect(missing.stderr).toContain("20200101T000000Z");
    expect(missing.stderr).toContain("npx stagecraft backups dev");
    const production = await stagecraft("restore", "prod", first);
    expect(production.stderr).toContain("production's contents are never replaced");
    expect([missing.status, production.status]).toEqual([2, 2]);
  });

  it("have ids like 20261121T032900Z, and another id is rejected", async () => {
    const { status, stderr } = await stagecraft("verify", "dev", "yesterday");
    expect(status).toBe(2);
    expect(stderr).toContain("must be a backup id like 20261121T032900Z");
  });

  it.each(["verify", "download"])("that do not exist are rejected by %s", async (verb) => {
    expect(await stagecraft(verb, "dev", "20200101T000000Z")).toEqual({
      status: 2,
      stdout: "",
      stderr: `error: there is no backup 20200101T000000Z; the nearest: ${first}\n  fix  npx stagecraft backups dev`,
    });
  });
});
