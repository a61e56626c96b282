import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { jobResultSchema } from "../../model/backup/protocol";
import { restoreResultSchema } from "../../model/restore/protocol";
import { queryDuring } from "../support/databases/asking-client";
import { signalRestore } from "../support/stacks/disturbed-restore";
import { killPulumi, startHeldUpdate, untilHeld } from "../support/stacks/held-update";
import {
  runDocker,
  exampleApplication,
  exampleDump,
  smallDump,
  useProject,
} from "../support/stacks/project";
import { unfinishedRestoreSql } from "../support/servers/server";
import { polling } from "../support/time/limit.mjs";

const project = useProject();
/** The backups that development goes to and fro between. */
const ids: string[] = [];

const steps = [
  ...["read", "create", "restore", "mask", "check", "owner"],
  ...["upgrade", "defuse", "keep", "analyse", "grants", "swap"],
];
const application = { build: exampleApplication, revision: "4f2c9e1", watch: "1 s" };
let port = 0;
/** In a line what the contents are: of which backup, their rows, values that nobody masked, scripts, defuse and kept rows. */
const tell = `SELECT concat_ws(' ', current_setting('stagecraft.backup'), count(*), count(*) FILTER (WHERE email ~ 'canary'),
  (SELECT string_agg(key, ',' ORDER BY key) FROM settings WHERE key IN ('smtp_port', 'upgraded')),
  (SELECT count(*) FROM scheduled_jobs WHERE enabled), (SELECT sum(id) FROM testers)) FROM users`;
const told = (backup: string): string =>
  `${backup} 160 0 ${backup === ids[0] ? "smtp_port,upgraded" : "upgraded"} 0 6`;
const answers = new Set<string>();
let live = "";
let wanted = "";
/** Of an update that nothing disturbs. */
let seconds = 0;

function want(backup: string): void {
  wanted = backup;
  project.reconfigure("dev", {
    data: { from: "server:prod", backup, acceptUnverified: true },
    // None is kept, so that each refresh is a restore and none a way back.
    database: { name: "timesheets", keep: ["testers"], keepPrevious: 0 },
    upgrades: { folder: "killed", baseline: "1.0" },
    application: { ...application, port },
  });
}

const agent = async (...command: readonly string[]) =>
  runDocker("exec", project.names("dev").agent, ...command);

/** Lets a client ask all the time meanwhile. */
const whileAsked = async (work: () => Promise<void>): Promise<void> =>
  queryDuring(
    project,
    { stack: "dev", sql: tell, pause: 50 },
    (answer) => answers.add(answer),
    work,
  );

/** What a next update wants that is to go through all steps. */
const wantOther = (): void => {
  live = wanted;
  want((live === ids[0] ? ids[1] : ids[0]) ?? "");
};

/** A night of production: people write, and a backup is made. */
async function night(sql: string): Promise<void> {
  await project.psql("prod", `UPDATE users SET email = id || '@canary.example'; ${sql}`);
  const { exitCode, text } = await project.stagecraft("backup", "prod", "--json");
  expect(exitCode, text).toBe(0);
  ids.push(jobResultSchema.parse(JSON.parse(text.slice(text.indexOf("{")))).backup ?? "");
}

beforeAll(async () => {
  await project.makeStack("prod", { data: { dump: exampleDump } });
  expect(await project.up("prod")).toMatchObject({ exitCode: 0 });
  await night("");
  await night("DELETE FROM settings WHERE key = 'smtp_port'");

  mkdirSync(join(project.folder, "killed"));
  project.writeDump(
    "killed/upgrade-1.0-1.1.sql",
    "INSERT INTO settings (key, value) VALUES ('upgraded', 'yes');\n",
  );
  const dump = project.writeDump("testers.sql", smallDump("testers", 4));
  await project.makeStack("dev", { data: { dump } });
  expect(await project.up("dev")).toMatchObject({ exitCode: 0 });
  port = await project.applicationPort();
  want(ids[0] ?? "");
  const started = performance.now();
  const up = await project.up("dev");
  seconds = (performance.now() - started) / 1000;
  expect(up, up.text).toMatchObject({ exitCode: 0 });
  expect(await project.psql("dev", tell)).toBe(told(wanted));
  const report = await project.pulumi("stack", "output", "report", "--json", "--stack", "dev");
  const done = JSON.parse(report.text) as { readonly steps: object };
  expect(Object.keys(done.steps).sort()).toEqual([...steps].sort());
});

beforeEach(async () => {
  // What is left of a try that failed.
  await agent(...signalRestore("KILL"));
  await project.pulumi("cancel", "--yes", "--stack", "dev");
});

/** Id of the application's container, and when it was started. */
async function container(): Promise<readonly [id: string, started: string]> {
  const name = project.names("dev").application;
  const { text } = await runDocker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", name);
  const [id = "", started = ""] = text.split(" ");
  return [id, started];
}

test("Pulumi is killed at each step: development has the old contents or the new, whole, and the next update goes on", async () => {
  wantOther();
  await whileAsked(async () => {
    for (const [n, step] of [...steps, "done"].entries()) {
      const up = startHeldUpdate(project, "dev", step);
      await untilHeld(up, step);
      const found = await project.psql("dev", tell);
      // What holds the agent may come when it has swapped already.
      const either = step === "swap" ? [live, wanted] : [step === "done" ? wanted : live];
      expect(either.map(told), step).toContain(found);
      // Every other time its agent dies with it, and the contents stay; else the agent does what it was asked for.
      const dies = n % 2 === 0;
      await killPulumi(up, dies ? "with all it started" : "alone");
      if (dies) await agent(...signalRestore("KILL"));
      else await agent(...signalRestore("CONT"));
      await expect
        .poll(async () => project.psql("dev", tell), { ...polling, message: step })
        .toBe(told(dies && step !== "done" ? live : wanted));
      expect(await project.pulumi("cancel", "--yes", "--stack", "dev")).toMatchObject({
        exitCode: 0,
      });
      if (!dies) wantOther();
    }
  });
});

test("it is as the stack wants it after the next update, its application too, and no update changes more", async () => {
  const [id] = await container();
  const up = await project.up("dev");
  expect(up, up.text).toMatchObject({ exitCode: 0 });
  // Its application has been restarted since the contents are these, whoever exchanged them.
  const { exchangedAt } = restoreResultSchema.parse(
    JSON.parse((await agent("stagecraft-agent", "report")).text),
  );
  const [sameId, started] = await container();
  expect([sameId, started > (exchangedAt ?? "never")]).toEqual([id, true]);
  expect(await project.psql("dev", `${tell}; ${unfinishedRestoreSql}`)).toBe(told(wanted));
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});

test("Pulumi is killed at ten random moments: development has the old contents or the new, whole, and the next update goes on", async () => {
  wantOther();
  await whileAsked(async () => {
    for (let n = 0; n < 10; n++) {
      const after = Math.random() * seconds;
      console.info(`Pulumi killed after ${after.toFixed(3)} s of ${seconds.toFixed(3)} s`);
      const up = project.start({}, "up", "--stack", "dev", "--yes", "--skip-preview");
      await sleep(after * 1000);
      await killPulumi(up, n % 2 === 0 ? "alone" : "with all it started");
      expect([told(live), told(wanted)]).toContain(await project.psql("dev", tell));
      await project.pulumi("cancel", "--yes", "--stack", "dev");
    }
    const up = await project.up("dev");
    expect(up, up.text).toMatchObject({ exitCode: 0 });
  });
  expect(await project.psql("dev", `${tell}; ${unfinishedRestoreSql}`)).toBe(told(wanted));
});

test("no client was shown anything but the whole contents of one backup, masked", () => {
  expect([...answers].sort()).toEqual([told(ids[0] ?? ""), told(ids[1] ?? "")].sort());
});
