import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { sha256Of } from "../../agent/system/digest";
import { mask } from "../../components";
import { restoreResultSchema } from "../../model/restore/protocol";
import { restoreUntil, stepLine } from "../support/stacks/disturbed-restore";
import { resultOf, untilPrinted, smallDump, useProject, type Run } from "../support/stacks/project";
import { useSecondEngine } from "../support/engines/second-engine";
import { unfinishedRestoreSql } from "../support/servers/server";
import { until } from "../support/time/until";

const engine = useSecondEngine();
const project = useProject();

const settings = { host: engine.host(), data: { dump: "a.sql" } };

beforeAll(async () => {
  project.writeDump("a.sql", smallDump("a", 3));
  await project.makeStack("dev", settings);
  const up = await project.up("dev");
  expect(up, up.text).toMatchObject({ exitCode: 0 });
});

const contents = [1, 2].map((number) => {
  const rows = Array.from({ length: 100 * number }, (_, i) => `${i}\t${i}@canary.example\n`);
  const tables =
    "CREATE TABLE public.users (id int PRIMARY KEY, email text NOT NULL);\nCREATE TABLE public.jobs (enabled boolean);\nINSERT INTO public.jobs VALUES (true);";
  const dump = `--\n-- PostgreSQL database dump\n--\n${tables}\nCOPY public.users (id, email) FROM stdin;\n${rows.join("")}\\.\n--\n-- PostgreSQL database dump complete\n--\n`;
  return { dump, told: `${rows.length} 0 ${rows.length} false 6` };
});
/** Rows, values that nobody masked, and what an upgrade script, a defuse statement and kept rows leave. */
const tell = `SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE email ~ 'canary'), count(nick),
  (SELECT string_agg(enabled::text, ',') FROM jobs), (SELECT sum(id) FROM testers)) FROM users`;
const steps = [
  ...["read", "create", "restore", "mask", "check", "owner"],
  ...["upgrade", "mask new columns", "defuse", "keep", "analyse", "grants", "swap"],
];
const text = "ALTER TABLE users ADD nick text; UPDATE users SET nick = email;";
const prepare = {
  upgrades: {
    scripts: [
      {
        ...{ package: "app", from: "1.0", to: "1.1", name: "upgrade-1.0-1.1.sql", text },
        sha256: sha256Of(text),
      },
    ],
    rules: { gaps: "refused", baseline: "1.0" },
  },
  masks: {
    classify: "strict",
    columns: {
      ...{ "users.id": mask.public(), "jobs.*": mask.public() },
      ...{ "users.email": mask.email(), "users.nick": mask.hash() },
    },
  },
  defuse: [
    {
      ...{ name: "jobs off", sql: "UPDATE jobs SET enabled = false" },
      expect: "SELECT NOT EXISTS (SELECT FROM jobs WHERE enabled)",
    },
  ],
  keep: [{ table: "testers" }],
};
/** Contents that are to become live, and the request for them. */
interface Asked {
  readonly next: number;
  readonly request: string;
}

/** Which of them is live. */
let live = 0;
let requests = 0;

const agent = (input: string, ...command: readonly string[]) =>
  engine.dockerWith(input, "exec", "-i", project.names("dev").agent, ...command);

/** Hands over what comes next. */
async function nextRequest(): Promise<Asked> {
  const next = (live + 1) % contents.length;
  const { dump = "" } = contents[next] ?? {};
  const sha256 = sha256Of(dump);
  const verb = ["stagecraft-agent", "receive", sha256, "timesheets", "replace"];
  expect(await agent(dump, ...verb)).toMatchObject({ exitCode: 0 });
  const request = JSON.stringify({
    ...{ server: "dev", kind: "development", database: "timesheets", mode: "replace" },
    ...{ source: { name: `${next}.sql`, sha256 }, restoreId: `killed-${++requests}` },
    ...{ roles: "leave out", prepare },
  });
  return { next, request };
}

/** The same request goes through, whatever was killed before, and leaves nothing half-made; its time and steps. */
async function converge({ request, next }: Asked) {
  const started = performance.now();
  const { exitCode, stdout, stderr } = await agent(request, "stagecraft-agent", "restore");
  expect(exitCode, stderr).toBe(0);
  const seconds = (performance.now() - started) / 1000;
  expect(await psql(`${tell}; ${unfinishedRestoreSql}`)).toBe(contents[next]?.told);
  live = next;
  const { steps: done } = restoreResultSchema.parse(JSON.parse(stdout));
  return { seconds, found: done.map(({ name }) => name) };
}

/** Starts the engine again; that the old contents are there or the new, whole. What the next attempt is to do. */
async function expectOldOrNew(asked: Asked, moment: string): Promise<Asked> {
  await engine.startEngine();
  const found = await whenUp(tell);
  const wanted = contents[asked.next]?.told;
  expect([contents[live]?.told, wanted], moment).toContain(found);
  if (found !== wanted) return asked;
  await converge(asked);
  return nextRequest();
}

test("the engine is killed: the old contents are there or the new, whole and masked, whichever step it had begun, and the next attempt goes on", async () => {
  await psql(
    "SET ROLE timesheets_owner; CREATE TABLE IF NOT EXISTS testers (id int PRIMARY KEY); INSERT INTO testers VALUES (1), (2), (3) ON CONFLICT DO NOTHING",
  );
  let asked = await nextRequest();
  const { seconds, found } = await converge(asked);
  expect(found).toEqual(steps);
  asked = await nextRequest();
  for (const [n, step] of steps.entries()) {
    const running = agent(asked.request, ...restoreUntil(step, "STOP"));
    await untilPrinted(running as unknown as Run, stepLine(step));
    await engine.killEngine(n % 2 === 0 ? "with its containers" : "alone");
    await running;
    asked = await expectOldOrNew(asked, step);
  }
  for (let n = 0; n < 10; n++) {
    const after = Math.random() * seconds;
    const moment = `after ${after.toFixed(3)} s of ${seconds.toFixed(3)} s`;
    console.info(`the engine killed ${moment}`);
    const running = agent(asked.request, "stagecraft-agent", "restore");
    await sleep(after * 1000);
    await engine.killEngine(n % 2 === 0 ? "with its containers" : "alone");
    await running;
    asked = await expectOldOrNew(asked, moment);
  }
  await converge(asked);
});

test("what a killed engine left is brought to what the stack names by the next up", async () => {
  const dump = project.writeDump("b.sql", smallDump("a", 5, "SELECT pg_catalog.pg_sleep(5);"));
  project.reconfigure("dev", { ...settings, data: { dump } });
  const killed = project.start({}, "up", "--stack", "dev", "--yes", "--skip-preview");
  await untilPrinted(killed, stepLine("restore"));
  await engine.killEngine("with its containers");
  expect(await resultOf(killed)).not.toMatchObject({ exitCode: 0 });
  await engine.startEngine();
  expect(await whenUp(tell)).toBe(contents[live]?.told);
  const up = await project.up("dev");
  expect(up, up.text).toMatchObject({ exitCode: 0 });
  expect(await psql(`SELECT count(*) FROM a; ${unfinishedRestoreSql}`)).toBe("5");
  expect(await project.up("dev", "--expect-no-changes")).toMatchObject({ exitCode: 0 });
});
/** What PostgreSQL's superuser reads, on the machine itself. */
async function psql(sql: string): Promise<string> {
  return (await engine.psql(project.names("dev").postgres, sql)).all.trim();
}

/** The same, as soon as PostgreSQL and the agent are there. */
async function whenUp(sql: string): Promise<string> {
  return until("PostgreSQL and the agent", async () => {
    const { failed, all } = await engine.psql(project.names("dev").postgres, sql);
    return !failed && !(await agent("", "true")).failed && all.trim();
  });
}
