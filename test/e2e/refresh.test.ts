import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { jobResultSchema } from "../../model/backup/protocol";
import { useRemotes } from "../support/offsite/remotes";
import { longestGap } from "../support/databases/longest-gap";
import {
  runDocker,
  exampleApplication,
  exampleDump,
  smallDump,
  useProject,
} from "../support/stacks/project";
import { atMost } from "../support/time/limit.mjs";

const project = useProject();
const away = useRemotes({ name: project.prefix, network: "bridge" });
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

/** The application of staging: of the example, with little patience. */
let application = {
  ...{ build: exampleApplication, port: 0, revision: "4f2c9e1", healthPath: "/health" },
  ...{ healthLimit: "3 s", watch: "1 s" },
};

/** What the application answers a browser. */
async function page(path = "/"): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`http://127.0.0.1:${application.port}${path}`);
  return { status: answer.status, text: await answer.text() };
}

/** Id of the application's container, and when it was started. */
async function container(): Promise<readonly [id: string, started: string]> {
  const format = "{{.Id}} {{.State.StartedAt}}";
  const name = project.names("staging").application;
  const [id = "", started = ""] = (await runDocker("inspect", "--format", format, name)).text.split(
    " ",
  );
  return [id, started];
}

beforeAll(async () => {
  application = { ...application, port: await project.applicationPort() };
  await project.makeStack("prod", { data: { dump: exampleDump } });
  expect(await project.up("prod")).toMatchObject({ exitCode: 0 });
  const backup = await night("canary-one");
  await project.makeStack("staging", { data: { from: "server:prod", backup }, application });
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

test("the application shows the data, and has its password in a file alone, without root or rights", async () => {
  expect((await page()).text).toMatch(/^Timesheets of .* \(copy\)\nusers: 160\n/);
  expect(await page("/health")).toEqual({ status: 200, text: "well\n" });
  const { text: told } = await project.stagecraft("status", "staging");
  expect(told).toMatch(
    new RegExp(`application +running, healthy · revision 4f2c9e1 · 127.0.0.1:${application.port}`),
  );
  const name = project.names("staging").application;
  const script =
    "exec 2>&1; id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/1/status; ls -l /run/stagecraft; touch /x /run/stagecraft/x";
  const places = await Promise.all([
    runDocker("exec", name, "sh", "-c", script),
    project.pulumi("stack", "export", "--stack", "staging"),
    runDocker("inspect", name),
    runDocker("logs", name),
    runDocker("top", name, "-eo", "pid,args"),
  ]);
  expect(places[0].text).toMatch(
    /^5433\nCapEff:\t0+\nCapBnd:\t0+\nNoNewPrivs:\t1\n[^]*\n-rw------- 1 5433 5433 .* pgpass\ntouch: .*Read-only.*\ntouch: .*Read-only/,
  );
  for (const { exitCode, text } of places.slice(1)) expect(exitCode, text).toBe(0);
  const all = places.map(({ text }) => text).join("\n");
  expect(all).toContain("PGPASSFILE=/run/stagecraft/pgpass");
  for (const password of Object.values(project.passwords)) expect(all).not.toContain(password);
});

test("a refresh is previewed, and nothing is touched", async () => {
  // Something that the application misses.
  await project.psql("prod", "DELETE FROM settings WHERE key = 'smtp_port'");
  const backup = await night("canary-two");
  const { exitCode, text } = await project.stagecraft("refresh", "staging", "--preview");
  expect(exitCode, text).toBe(0);
  expect(text).toContain(`staging ← prod ${backup}`);
  expect(text).toMatch(/masks +\d+ columns in \d+ tables; strict: all \d+ columns are classified/);
  expect(text).toMatch(/defuse +\d+ statements/);
  expect(text).toMatch(/disk +needs .* free/);
  expect(text).toContain(`Nothing has been changed. To refresh: npx stagecraft refresh staging`);
  const json = await project.stagecraft("refresh", "staging", "--preview", "--json");
  const told = JSON.parse(json.text.slice(json.text.indexOf("{"))) as { plan: string[] };
  expect(told).toMatchObject({ stack: "staging", backup });
  expect(told.plan.join("\n")).toContain(`staging ← prod ${backup}`);
  expect(await stamp("staging")).toBe(ids[0]);
  expect(pinned("staging")).toBe(ids[0]);
});

test("a refresh brings the newest data while staging goes on answering, and pins its id", async () => {
  const [id, started] = await container();
  let said = { exitCode: 1, text: "" };
  const gap = await longestGap(project, "staging", async () => {
    said = await project.stagecraft("refresh", "staging");
  });
  expect(said.exitCode, said.text).toBe(0);
  expect(gap).toBeLessThan(atMost(3));
  expect(said.text).toMatch(/staging has prod's data of .* UTC\n.* in total · downtime .* masked/);
  expect(said.text).toMatch(
    /application +restarted, healthy after \S+ s · 1 new error in its log\n +1 × ERROR the setting "…" is missing\n/,
  );
  const restarted = await container();
  expect(restarted[0]).toBe(id);
  expect(restarted[1] > started).toBe(true);
  expect((await page()).text).toContain("users: 160");
  const report = /report +(\S+)/.exec(said.text)?.[1] ?? "";
  expect(existsSync(join(project.folder, report)), said.text).toBe(true);
  const output = await project.pulumi("stack", "output", "report", "--json", "--stack", "staging");
  expect(JSON.parse(output.text), output.text).toMatchObject({
    ...{ result: "restored", backup: ids[1], steps: { mask: expect.any(Number) as number } },
    masked: { values: expect.any(Number) as number },
    application: {
      ...{ revision: "4f2c9e1", restarted: true, healthy: true },
      errors: { fresh: [{ signature: 'ERROR the setting "…" is missing', count: 1 }], more: 0 },
    },
  });
  expect(output.text).not.toContain("canary");
  expect([await stamp("staging"), pinned("staging")]).toEqual([ids[1], ids[1]]);
  expect(await canaries("staging")).toBe("0");
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  expect(await container()).toEqual(restarted);
});

test("an id that is not there is refused with the nearest ones, and nothing is pinned", async () => {
  const { exitCode, text } = await project.stagecraft(
    ...["refresh", "staging", "--backup", "20200101T000000Z"],
  );
  expect(exitCode).toBe(2);
  expect(text).toContain(`there is no backup 20200101T000000Z; the nearest: ${ids[0] ?? ""}`);
  expect(pinned("staging")).toBe(ids[1]);
});

test("an id that is not there makes a preview fail, too, with the nearest ones", async () => {
  const backup = "20200101T000000Z";
  project.reconfigure("staging", { data: { from: "server:prod", backup }, application });
  const { exitCode, text } = await project.preview("staging");
  expect(exitCode, text).not.toBe(0);
  expect(text).toContain(
    `no backup ${backup} in ${project.names("prod").backupsVolume}; the nearest: ${ids[0] ?? ""}`,
  );
  project.reconfigure("staging", { data: { from: "server:prod", backup: ids[1] }, application });
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("a backup that is damaged leaves staging as it was, and the stack file too", async () => {
  const before = await stamp("staging");
  const backup = await night("canary-three");
  const spoil = `cd /var/backups/stagecraft/${backup} && f=$(find . -path '*pg_dump*' -type f | head -n 1) && chmod u+w "$f" && printf x >> "$f"`;
  const agent = project.names("prod").agent;
  const spoiled = await runDocker("exec", agent, "sh", "-c", spoil);
  expect(spoiled.exitCode, spoiled.text).toBe(0);
  const { exitCode, text } = await project.stagecraft("refresh", "staging");
  expect(exitCode).toBe(1);
  expect(text).toMatch(/staging was not changed/);
  expect(text).toMatch(new RegExp(`backup ${backup} failed verification:\\s+\\S+ has grown`));
  expect([await stamp("staging"), pinned("staging")]).toEqual([before, before]);
  const reports = join(project.folder, ".stagecraft/reports");
  const newest = readdirSync(reports).sort().at(-1) ?? "";
  expect(JSON.parse(readFileSync(join(reports, newest), "utf8"))).toMatchObject({
    ...{
      result: "failed",
      source: { backup },
      text: expect.stringContaining("has grown") as string,
    },
  });
  // Pulumi's state has the id that was tried; an update sets it right, and restores nothing.
  expect(await project.up("staging")).toMatchObject({ exitCode: 0 });
  expect(await stamp("staging")).toBe(before);
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("a rollback brings the contents before back at once, and pins theirs", async () => {
  await project.psql("staging", "CREATE TABLE made_by_a_tester ()");
  const { exitCode, text } = await project.stagecraft("rollback", "staging");
  expect(exitCode, text).toBe(0);
  expect(text).toContain("staging was rolled back to prod's data of");
  expect([await stamp("staging"), pinned("staging")]).toEqual([ids[0], ids[0]]);
  expect(text).toMatch(/application +restarted, healthy after .* · no new errors in its log/);
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("an update fails when the application does not become healthy with its data, and the way back works", async () => {
  const previous = "timesheets__previous";
  const maintain = "INSERT INTO settings (key, value) VALUES ('maintenance', 'on')";
  await project.psql("staging", maintain, previous);
  const { exitCode, text } = await project.stagecraft("rollback", "staging");
  expect(exitCode).toBe(3);
  expect(text).toMatch(
    new RegExp(
      `staging has the contents of ${ids[1] ?? ""}, but its application does not become healthy: /health returns 503 after \\S+ s\n`,
    ),
  );
  expect(text).toMatch(/log +.*\n[^]*ERROR \/health: the setting maintenance is on\n/);
  expect(text).toContain("undo      npx stagecraft rollback staging");
  expect(text).not.toContain('running "');
  // The contents are there, with what was done in them, and the file says so.
  expect([await stamp("staging"), pinned("staging")]).toEqual([ids[1], ids[1]]);
  expect(await project.psql("staging", "SELECT count(*) FROM made_by_a_tester")).toBe("0");
  const back = await project.stagecraft("rollback", "staging");
  expect(back.exitCode, back.text).toBe(0);
  expect([await stamp("staging"), pinned("staging")]).toEqual([ids[0], ids[0]]);
  expect(await page("/health")).toMatchObject({ status: 200 });
  expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("development gets the same data masked, with values of its own, also after a dump", async () => {
  const dump = project.writeDump("small.sql", smallDump("small", 1));
  const port = await project.applicationPort();
  // These contents are none that it could be well with.
  const runs = { application: { ...application, port, healthPath: undefined } };
  await project.makeStack("dev", { data: { dump }, ...runs });
  expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
  project.reconfigure("dev", { data: { from: "server:prod", backup: ids[0] }, ...runs });
  const preview = await project.preview("dev");
  expect(preview.exitCode, preview.text).toBe(0);
  expect(preview.text).toMatch(
    /backup +read from \S+-prod-backups once this update has mounted it for the agent/,
  );
  const refreshed = await project.stagecraft("refresh", "dev", "--backup", ids[1] ?? "");
  expect(refreshed, refreshed.text).toMatchObject({ exitCode: 0 });
  expect([await stamp("dev"), pinned("dev")]).toEqual([ids[1], ids[1]]);
  expect(await canaries("dev")).toBe("0");
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
  const emails = "SELECT string_agg(email, ' ' ORDER BY id) FROM users";
  expect(await project.psql("dev", emails)).not.toBe(await project.psql("staging", emails));
});

test("production is never refreshed", async () => {
  const { exitCode, text } = await project.stagecraft("refresh", "prod");
  expect(exitCode).toBe(2);
  expect(text).toContain(
    "production's contents are never replaced, only recovered when they are missing",
  );
  expect(await canaries("prod")).not.toBe("0");
});

describe("from off-site copies", () => {
  let backup = "";
  let identity = "";
  let recipients: readonly string[] = [];
  /** What staging has until it is refreshed. */
  let before = "";

  const place = () => {
    const { remote, options } = away.sftp();
    const { key_pem, ...rest } = options;
    return { section: { remote, options: rest }, key: key_pem };
  };

  /** Names production's copies as what a stack is made of. */
  async function takeCopies(stack: string, data: object): Promise<void> {
    const { section, key } = place();
    project.reconfigure(stack, { data: { from: "offsite", ...data, offsite: section } });
    await project.setSecrets(stack, {
      "data.offsite.options.key_pem": key,
      "data.offsite.identity": identity,
    });
  }

  beforeAll(async () => {
    const { agent, network } = project.names("prod");
    const { text } = await runDocker("exec", agent, "age-keygen");
    identity = /^AGE-SECRET-KEY-.*$/m.exec(text)?.[0] ?? "";
    recipients = [/public key: (\S+)/.exec(text)?.[1] ?? ""];
    const { section, key } = place();
    const offsite = { ...section, recipients };
    project.reconfigure("prod", { data: { dump: exampleDump }, backups: { offsite } });
    await project.setSecrets("prod", { "backups.offsite.options.key_pem": key });
    await Promise.all([away.join(network), away.join(project.names("staging").network)]);
    const up = await project.up("prod");
    expect(up, up.text).toMatchObject({ exitCode: 0 });
    // A database that no stack names.
    await project.psql("prod", "CREATE ROLE crm_app LOGIN", "postgres");
    await project.psql("prod", "CREATE DATABASE crm OWNER crm_app", "postgres");
    await project.psql("prod", "SET ROLE crm_app; CREATE TABLE people AS SELECT 7 AS id", "crm");
    backup = await night("canary-off-site");
    expect(await away.files("sftp")).toContain(`prod/${backup}.tar.age`);
  });

  test("staging takes none where nobody has said that an unverified backup will do", async () => {
    before = await stamp("staging");
    await takeCopies("staging", { backup: ids[0] });
    const { exitCode, text } = await project.stagecraft("refresh", "staging");
    expect(exitCode).toBe(2);
    expect(text).toMatch(
      /none of the \d backups has been verified by a restore yet\n +fix +off-site copies do not record whether they were verified; .* set data\.acceptUnverified: true/,
    );
    expect([await stamp("staging"), pinned("staging")]).toEqual([before, ids[0]]);
  });

  test("a refresh is previewed, and nothing is touched", async () => {
    await takeCopies("staging", { backup: ids[0], acceptUnverified: true });
    const { exitCode, text } = await project.stagecraft("refresh", "staging", "--preview");
    expect(exitCode, text).toBe(0);
    expect(text).toContain(`staging ← sftp:backups/prod/${backup}.tar.age`);
    expect(text).toMatch(/masks +\d+ columns in \d+ tables; strict/);
    expect([await stamp("staging"), pinned("staging")]).toEqual([before, ids[0]]);
  });

  test("staging gets the newest one, masked, and a second up changes nothing", async () => {
    const { exitCode, text } = await project.stagecraft("refresh", "staging");
    expect(exitCode, text).toBe(0);
    expect(text).toMatch(/staging has prod's data of .* UTC\n.* in total · downtime .* masked/);
    expect([await stamp("staging"), pinned("staging")]).toEqual([backup, backup]);
    expect(await canaries("staging")).toBe("0");
    expect(await project.up("staging", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
    // What was there is of another place, and is not to be fetched from this one.
    const { text: refused } = await project.stagecraft("rollback", "staging");
    expect(refused).toContain(
      `timesheets__previous was restored from ${before} in ${project.names("prod").backupsVolume}, but stagecraft:data of staging now refers to sftp:backups/prod`,
    );
    expect([await stamp("staging"), pinned("staging")]).toEqual([backup, backup]);
  });

  const users = "SELECT count(*), max(email) FROM users";
  let lost = "";

  async function loseVolumes(): Promise<void> {
    const { containers, volumes } = project.parts("prod");
    // Development's agent reads the backups that are lost.
    await runDocker("rm", "--force", ...containers, project.names("dev").agent);
    expect(await runDocker("volume", "rm", ...volumes)).toMatchObject({ exitCode: 0 });
  }

  test("production comes back on an empty machine, from the program, a copy and its key alone, with all databases", async () => {
    lost = await project.psql("prod", users);
    expect(lost).toContain("canary-off-site");
    const { network } = project.parts("prod");
    await loseVolumes();
    await away.leave(network);
    expect(await runDocker("network", "rm", network)).toMatchObject({ exitCode: 0 });
    const forgotten = await project.pulumi("stack", "rm", "prod", "--force", "--yes");
    expect(forgotten, forgotten.text).toMatchObject({ exitCode: 0 });

    await project.makeStack("prod", {});
    await takeCopies("prod", { backup, acceptUnverified: true });
    const [up] = await Promise.all([project.up("prod"), away.join(network)]);
    expect(up, up.text).toMatchObject({ exitCode: 0 });
    expect(await project.psql("prod", users)).toBe(lost);
    expect(await stamp("prod")).toBe(backup);
    const owner = "SELECT id, tableowner FROM people, pg_tables WHERE tablename = 'people'";
    expect(await project.psql("prod", owner, "crm")).toBe("7|crm_app");
    expect(await project.output("prod", "verdict")).toMatch(
      new RegExp(
        `^timesheets ← ${backup} [^]*\ncrm ← ${backup} +passed[^]*role +crm_app .* had LOGIN; to give it back: ALTER ROLE`,
      ),
    );
    const again = await project.up("prod", "--expect-no-changes");
    expect(again, again.text).toMatchObject({ exitCode: 0 });
    const status = await project.stagecraft("status", "prod");
    expect(status.text).toMatch(new RegExp(`crm +prod ${backup}, .* old · .* · passed`));
  });

  test("and when its volumes are lost again, it is not filled with the dump that its stack names by then", async () => {
    // The key need not stay in the stack.
    const { section, key } = place();
    const backups = { jobs: {}, offsite: { ...section, recipients } };
    project.reconfigure("prod", { data: { dump: exampleDump }, backups });
    await project.setSecrets("prod", { "backups.offsite.options.key_pem": key });
    expect(await project.up("prod")).toMatchObject({ exitCode: 0 });
    expect(await project.psql("prod", users)).toBe(lost);
    await loseVolumes();
    const { exitCode, text } = await project.stagecraft("up", "prod");
    expect(exitCode, text).not.toBe(0);
    expect(text).toMatch(
      new RegExp(
        `timesheets of prod is missing, and its stack names older contents than there are: ${backup} is in sftp:backups/prod`,
      ),
    );
    expect(text).toContain(`set data.acceptOlder: ${backup}`);
    const databases = "SELECT count(*) FROM pg_database WHERE datname = 'timesheets'";
    expect(await project.psql("prod", databases, "postgres")).toBe("0");
  });
});
