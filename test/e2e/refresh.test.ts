import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { jobResultSchema } from "../../model/backup/protocol";
import { longestGap } from "../support/longest-gap";
import { docker, exampleDump, said as untilSaid, smallDump, useProject } from "../support/project";

const project = useProject();
const ids: string[] = [];

/** A night of production: people write, and a backup is made and proven by a restore. */
async function night(canary: string): Promise<string> {
  await project.psql("prod", `UPDATE users SET email = id || '@${canary}.example'`);
  const { text } = await project.stagecraft("backup", "prod", "--json");
  const job = jobResultSchema.parse(JSON.parse(text.slice(text.indexOf("{"))));
  const backup = job.backup ?? "";
  const verified = await project.stagecraft("backups", "verify", "prod", backup);
  expect(verified, verified.text).toMatchObject({ exitCode: 0 });
  ids.push(backup);
  return backup;
}

function pinned(stack: string): string {
  const text = readFileSync(join(project.folder, `Pulumi.${stack}.yaml`), "utf8");
  const file = parse(text) as { config: Record<string, { backup: string }> };
  return file.config["stagecraft:data"]?.backup ?? "";
}

const canaries = async (stack: string): Promise<string> =>
  project.psql(stack, "SELECT count(*) FROM users WHERE email LIKE '%canary%'");
const stamp = async (stack: string): Promise<string> =>
  project.psql(stack, "SELECT current_setting('stagecraft.backup')");

beforeAll(async () => {
  await project.makeStack("prod", { data: { dump: exampleDump } });
  expect(await project.up("prod")).toMatchObject({ exitCode: 0 });
  const backup = await night("canary-one");
  await project.makeStack("staging", { data: { from: "server:prod", backup } });
  const up = await project.up("staging");
  expect(up, up.text).toMatchObject({ exitCode: 0 });
});

test("staging gets production's backup, masked, and a second up changes nothing", async () => {
  expect(await canaries("prod")).not.toBe("0");
  expect(await canaries("staging")).toBe("0");
  expect(await project.psql("staging", "SELECT count(*) > 0 FROM hours")).toBe("t");
  expect(await stamp("staging")).toBe(ids[0]);
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("a refresh is previewed, and nothing is touched", async () => {
  const backup = await night("canary-two");
  const { exitCode, text } = await project.stagecraft("refresh", "staging", "--preview");
  expect(exitCode, text).toBe(0);
  expect(text).toContain(`staging ← prod ${backup}`);
  expect(text).toMatch(/masks +\d+ columns in \d+ tables; strict/);
  expect(text).toMatch(/defuse +\d+ statements/);
  expect(text).toMatch(/disk +needs .* free/);
  expect(text).toContain(`Nothing has been changed. To do it: npx stagecraft refresh staging`);
  const json = await project.stagecraft("refresh", "staging", "--preview", "--json");
  const told = JSON.parse(json.text.slice(json.text.indexOf("{"))) as { plan: string[] };
  expect(told).toMatchObject({ stack: "staging", backup });
  expect(told.plan.join("\n")).toContain(`staging ← prod ${backup}`);
  expect(await stamp("staging")).toBe(ids[0]);
  expect(pinned("staging")).toBe(ids[0]);
});

test("a refresh brings the newest data while staging goes on answering, and pins its id", async () => {
  let said = { exitCode: 1, text: "" };
  const gap = await longestGap(project, "staging", async () => {
    said = await project.stagecraft("refresh", "staging");
  });
  expect(said.exitCode, said.text).toBe(0);
  expect(gap).toBeLessThan(3);
  expect(said.text).toMatch(/staging has prod's data of .* UTC\n.* in all · away for .* masked/);
  const report = /report +(\S+)/.exec(said.text)?.[1] ?? "";
  expect(existsSync(join(project.folder, report)), said.text).toBe(true);
  const output = await project.pulumi("stack", "output", "report", "--json", "--stack", "staging");
  expect(JSON.parse(output.text), output.text).toMatchObject({
    ...{ result: "restored", backup: ids[1], steps: { mask: expect.any(Number) as number } },
    masked: { values: expect.any(Number) as number },
  });
  expect(output.text).not.toContain("canary");
  expect([await stamp("staging"), pinned("staging")]).toEqual([ids[1], ids[1]]);
  expect(await canaries("staging")).toBe("0");
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("an id that is not there is refused with the nearest ones, and nothing is pinned", async () => {
  const { exitCode, text } = await project.stagecraft(
    ...["refresh", "staging", "--backup", "20200101T000000Z"],
  );
  expect(exitCode).toBe(1);
  expect(text).toContain(`there is no backup 20200101T000000Z; the nearest: ${ids[0] ?? ""}`);
  expect(pinned("staging")).toBe(ids[1]);
});

test("an id that is not there makes a preview fail, too, with the nearest ones", async () => {
  const backup = "20200101T000000Z";
  project.reconfigure("staging", { data: { from: "server:prod", backup } });
  const { exitCode, text } = await project.preview("staging");
  expect(exitCode, text).not.toBe(0);
  expect(text).toContain(
    `no backup ${backup} in ${project.names("prod").backupsVolume}; the nearest: ${ids[0] ?? ""}`,
  );
  project.reconfigure("staging", { data: { from: "server:prod", backup: ids[1] } });
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("a backup that is damaged leaves staging as it was, and the stack file too", async () => {
  const before = await stamp("staging");
  const backup = await night("canary-three");
  const spoil = `cd /var/backups/stagecraft/${backup} && f=$(find . -path '*pg_dump*' -type f | head -n 1) && chmod u+w "$f" && printf x >> "$f"`;
  const agent = project.names("prod").agent;
  const spoiled = await docker("exec", agent, "sh", "-c", spoil);
  expect(spoiled.exitCode, spoiled.text).toBe(0);
  const { exitCode, text } = await project.stagecraft("refresh", "staging");
  expect(exitCode).toBe(1);
  expect(text).toMatch(/staging was not changed/);
  expect(text).toMatch(new RegExp(`backup ${backup} is not good:\\s+\\S+ has grown`));
  expect([await stamp("staging"), pinned("staging")]).toEqual([before, before]);
  // Pulumi's state has the id that was tried; an update sets it right, and restores nothing.
  expect(await project.up("staging")).toMatchObject({ exitCode: 0 });
  expect(await stamp("staging")).toBe(before);
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("a rollback brings the contents before back at once, and pins theirs", async () => {
  await project.psql("staging", "CREATE TABLE made_by_a_tester ()");
  const { exitCode, text } = await project.stagecraft("rollback", "staging");
  expect(exitCode, text).toBe(0);
  expect(text).toContain("staging is back at prod's data of");
  expect([await stamp("staging"), pinned("staging")]).toEqual([ids[0], ids[0]]);
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  // And back again, with what was done there.
  expect(await project.stagecraft("rollback", "staging")).toMatchObject({ exitCode: 0 });
  expect(await project.psql("staging", "SELECT count(*) FROM made_by_a_tester")).toBe("0");
});

test("development gets the same data masked, with values of its own, also after a dump", async () => {
  const dump = project.writeDump("small.sql", smallDump("small", 1));
  await project.makeStack("dev", { data: { dump } });
  expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
  project.reconfigure("dev", { data: { from: "server:prod", backup: ids[1] } });
  const preview = await project.preview("dev");
  expect(preview.exitCode, preview.text).toBe(0);
  expect(preview.text).toMatch(
    /backup +looked up in \S+-prod-backups when this update lets the agent read it/,
  );
  // Pulumi is killed in the middle: the old or the new contents are there, whole, and the next update sets it right.
  const killed = project.start({}, ...["up", "--stack", "dev", "--yes", "--skip-preview"]);
  await untilSaid(killed, "mask …");
  killed.kill("SIGKILL");
  await killed;
  const isOld = await project.psql("dev", "SELECT to_regclass('small') IS NOT NULL");
  if (isOld !== "t") expect(await canaries("dev")).toBe("0");
  await project.pulumi("cancel", "--yes", "--stack", "dev");
  const up = await project.up("dev");
  expect(up, up.text).toMatchObject({ exitCode: 0 });
  expect(await canaries("dev")).toBe("0");
  expect(
    await project.psql("dev", "SELECT datname FROM pg_database WHERE datname ~ '__incoming$'"),
  ).toBe("");
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  const emails = "SELECT string_agg(email, ' ' ORDER BY id) FROM users";
  expect(await project.psql("dev", emails)).not.toBe(await project.psql("staging", emails));
});

test("production is never refreshed", async () => {
  const { exitCode, text } = await project.stagecraft("refresh", "prod");
  expect(exitCode).toBe(1);
  expect(text).toContain(
    "production's contents are never replaced, only recovered when they are missing",
  );
  expect(await canaries("prod")).not.toBe("0");
});
