import { randomBytes } from "node:crypto";
import { execa } from "execa";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mask } from "../../components";
import { sha256Of } from "../../agent/system/digest";
import { ensureServerImage } from "../../cli/server/server-image";
import { candidateName, type BackupId } from "../../model/base/names";
import type { RestoreRequest } from "../../model/restore/protocol";
import { restoreUntil, signalRestore } from "../support/stacks/disturbed-restore";
import { docker, label, useServer } from "../support/servers/server";
import { writeDumpedBackup } from "../support/backups/dumped-backup";
import { checkout } from "../support/files/checkout";
import { until } from "../support/time/until";

const server = useServer({ readsBackups: true });
const database = "shop";
const password = randomBytes(12).toString("hex");
const client = `${server.name}-client`;

/** One more than there are copies on the server, so that each refresh is a restore and none a way back. */
const backups: readonly BackupId[] = [1, 2, 3].map((day) => `2026110${day}T032900Z`);

/** In a line what the contents are: of which backup, their rows, values that nobody masked, scripts, defuse and kept rows. */
const tell = `SELECT concat_ws(' ', 'seen', current_setting('stagecraft.backup'), count(*), sum(n),
    count(*) FILTER (WHERE email ~ 'canary' OR name ~ 'canary' OR nick ~ 'canary'), count(nick),
    (SELECT string_agg(enabled::text, ',') FROM jobs), (SELECT sum(id) FROM testers)) FROM users`;

const rows = (backup: BackupId): number => 200 + 10 * backups.indexOf(backup);
const told = (backup: BackupId): string => {
  const n = rows(backup);
  return `seen ${backup} ${n} ${(n * (n + 1)) / 2} 0 ${n} false 6`;
};

/** What is live. */
let live: BackupId;
let attempts = 0;
/** Seconds of a refresh that nothing disturbs, and its steps. */
let undisturbed = { seconds: 0, steps: [] as string[] };

const nextBackup = (): BackupId =>
  backups[(backups.indexOf(live) + 1) % backups.length] ?? "20261101T032900Z";

function requestFor(backup: BackupId, restoreId: string): Partial<RestoreRequest> {
  const text = "ALTER TABLE users ADD nick text; UPDATE users SET nick = name;";
  const script = { package: "app", from: "1.0", to: "1.1", name: "upgrade-1.0-1.1.sql", text };
  return {
    ...{ server: server.name, kind: "staging", database, restoreId, mode: "replace" },
    ...{ roles: "leave out", acceptUnverified: true },
    source: { name: backup, backup, repository: "prod-backups" },
    prepare: {
      upgrades: {
        scripts: [{ ...script, sha256: sha256Of(text) }],
        rules: { gaps: "refused", baseline: "1.0" },
      },
      masks: {
        classify: "strict",
        columns: {
          ...{ "users.id": mask.public(), "users.n": mask.public(), "jobs.*": mask.public() },
          ...{ "users.name": mask.name(), "users.email": mask.email(), "users.nick": mask.hash() },
        },
      },
      defuse: [
        {
          name: "jobs off",
          sql: "UPDATE jobs SET enabled = false",
          expect: "SELECT NOT EXISTS (SELECT FROM jobs WHERE enabled)",
        },
      ],
      keep: [{ table: "testers" }],
    },
  };
}

interface Attempt {
  readonly status: number;
  readonly stdout: string;
}

/** Asks for a refresh; `signal` reaches it when it begins `step`. */
async function attempt(
  request: Partial<RestoreRequest>,
  step = "never",
  signal: "KILL" | "STOP" = "KILL",
): Promise<Attempt> {
  return server.run(restoreUntil(step, signal), Buffer.from(JSON.stringify(request)));
}

/** What the application sees; waits while PostgreSQL starts. */
async function seen(): Promise<string> {
  return until("an answer to the application", async () => {
    const login = { user: database, password, database };
    const { status, stdout } = await server.as(login, `${tell};`);
    return status === 0 && stdout.trim();
  });
}

/** That the application gets no sight of contents that are not masked and defused yet. */
async function expectNobodyIn(incoming: string, step: string): Promise<void> {
  const tried = await server.as({ user: database, password, database: incoming }, "SELECT 1;");
  expect(tried.stderr, step).toMatch(
    /permission denied for database|does not exist|not currently accepting connections/,
  );
}

/** That the old or the new contents are there, whole; says whether it is the new ones. */
async function expectOldOrNew(wanted: BackupId, moment: string): Promise<boolean> {
  const contents = await seen();
  expect([told(live), told(wanted)], moment).toContain(contents);
  return contents === told(wanted);
}

/** The same request once more goes through, whatever was killed before, and leaves nothing half-made. */
async function converge(request: Partial<RestoreRequest>, wanted: BackupId): Promise<Attempt> {
  const last = await attempt(request);
  expect(last.status, last.stdout).toBe(0);
  expect(await seen()).toBe(told(wanted));
  await server.expectNothingUnfinished();
  live = wanted;
  return last;
}

function newRequest(): { wanted: BackupId; request: Partial<RestoreRequest> } {
  const wanted = nextBackup();
  return { wanted, request: requestFor(wanted, `refresh-${++attempts}`) };
}

/** Kills one of them at each step in turn: each attempt goes one step further than the one before it. */
async function killAtEachStep(
  kill: (request: Partial<RestoreRequest>, step: string) => Promise<void>,
): Promise<void> {
  let { wanted, request } = newRequest();
  for (const step of undisturbed.steps) {
    await kill(request, step);
    const { status } = await server.run(["rm", "/tmp/reached"]);
    expect(status, `the refresh did not come to: ${step}`).toBe(0);
    if (await expectOldOrNew(wanted, step)) {
      await converge(request, wanted);
      ({ wanted, request } = newRequest());
    }
  }
  await converge(request, wanted);
}

beforeAll(async () => {
  await server.makeRoles({ database, application: password });
  await server.createDatabase(
    "production",
    `CREATE TABLE users (id int PRIMARY KEY, n int NOT NULL, name text NOT NULL, email text NOT NULL UNIQUE);
     CREATE TABLE jobs (id int, enabled boolean);
     INSERT INTO jobs VALUES (1, true)`,
  );
  for (const id of backups) {
    await server.sql(
      "production",
      `TRUNCATE users; INSERT INTO users SELECT i, i, 'canary ' || i, i || '@canary.example' FROM generate_series(1, ${rows(id)}) i`,
    );
    await writeDumpedBackup(server, { id, database: "production", format: "custom" });
  }
  [live = ""] = backups.slice(0, 1);
  const first = await attempt(requestFor(live, "refresh-0"));
  expect(first.status, first.stdout).toBe(0);
  await server.sql(
    database,
    `SET ROLE ${database}_owner; CREATE TABLE testers (id int PRIMARY KEY); INSERT INTO testers VALUES (1), (2), (3);
     GRANT SELECT ON testers TO ${database}`,
  );
  const { wanted, request } = newRequest();
  const started = performance.now();
  const { stdout } = await converge(request, wanted);
  const { steps } = JSON.parse(stdout) as { steps: { name: string }[] };
  undisturbed = {
    seconds: (performance.now() - started) / 1000,
    steps: steps.map(({ name }) => name),
  };
  await watch();
});

let watching: Promise<string> | undefined;

/** Asks as the application all the time, from a container of its own, whatever happens to the others. */
async function watch(): Promise<void> {
  const script = `IFS= read -r PGPASSWORD; export PGPASSWORD; echo begins
    while :; do printf '%s\\n' "$2" '\\watch 0.05' | psql -qAtX -v ON_ERROR_STOP=1 -h "$1" -U ${database} ${database} 2>/dev/null; sleep 0.05; done`;
  const { tag } = await ensureServerImage(checkout, () => undefined);
  // It holds the data, which is in memory, while both of the others are down.
  const holds = ["--volume", `${server.volume("data")}:/mnt/data:ro`];
  const marks = ["--label", `${label}=${server.name}`];
  const run = [
    "run",
    "--rm",
    "-i",
    ...marks,
    "--network",
    server.name,
    "--name",
    client,
    ...holds,
    tag,
  ];
  watching = execa("docker", [...run, "bash", "-c", script, "-", server.postgres, tell], {
    input: `${password}\n`,
    reject: false,
  }).then(({ stdout }) => stdout);
  await until("the client", async () => docker("ps", "-q", "--filter", `name=${client}`));
}

afterEach(async () => server.expectNothingUnfinished());
afterAll(async () => {
  await execa("docker", ["rm", "--force", client], { reject: false });
});

test("a refresh has all the steps that are to be disturbed", () => {
  expect(undisturbed.steps).toEqual([
    ...["read", "create", "restore", "mask", "check", "owner"],
    ...["upgrade", "mask new columns", "defuse", "keep", "analyse", "grants", "swap"],
  ]);
});

test("the agent is killed at each step: the old or the new contents are there, and the next attempt goes on", async () => {
  await killAtEachStep(async (request, step) => {
    await attempt(request, step);
  });
});

test("the agent is killed right after the swap: the next attempt finds the work done, and clears up", async () => {
  const { wanted, request } = newRequest();
  await converge(request, wanted);
  // What such a kill leaves, which is too short a moment to be met.
  await server.sql(
    "postgres",
    "CREATE ROLE stagecraft_restore SUPERUSER NOLOGIN; CREATE DATABASE shop__outgoing",
  );
  const { stdout } = await converge(request, wanted);
  expect(JSON.parse(stdout)).toMatchObject({ result: "unchanged" });
});

test("PostgreSQL is killed at each step", async () => {
  await killAtEachStep(async (request, step) => {
    const running = attempt(request, step, "STOP");
    const isReached = async (): Promise<boolean> =>
      (await server.run(["test", "-e", "/tmp/reached"])).status === 0;
    await until(`the refresh begins ${step}`, isReached, { every: 20 });
    // What stops it may come when it has let the application in already, to contents that are ready.
    if (step !== "grants" && step !== "swap") await expectNobodyIn(candidateName(database), step);
    await server.kill("postgres");
    await server.restart("postgres");
    await server.run(signalRestore("CONT"));
    await running;
  });
});

test("one of them is killed at ten random moments", async () => {
  const victims = ["agent's process", "postgres", "agent", "both"] as const;
  for (let n = 0; n < 10; n++) {
    const victim = victims[n % victims.length] ?? "postgres";
    const after = Math.random() * undisturbed.seconds;
    const moment = `${victim} killed after ${after.toFixed(3)} s of ${undisturbed.seconds.toFixed(3)} s`;
    console.info(moment);
    const { wanted, request } = newRequest();
    const running = attempt(request);
    await sleep(after * 1000);
    if (victim === "agent's process") {
      await server.run(signalRestore("KILL"));
    } else if (victim === "both") {
      // As when their machine goes down.
      await Promise.all([server.kill("postgres"), server.kill("agent")]);
      await Promise.all([server.restart("postgres"), server.restart("agent")]);
    } else {
      await server.kill(victim);
      await server.restart(victim);
    }
    await running;
    await expectOldOrNew(wanted, moment);
    await converge(request, wanted);
  }
});

test("at no moment did the application see anything but the whole contents of one backup, masked", async () => {
  await docker("rm", "--force", client);
  const lines = ((await watching) ?? "").split("\n").filter((line) => line.startsWith("seen "));
  expect(lines.length).toBeGreaterThan(50);
  // The last one may be cut.
  const different = new Set(lines.slice(0, -1));
  expect([...different].sort()).toEqual(backups.map(told));
});
