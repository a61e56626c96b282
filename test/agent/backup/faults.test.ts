import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { jobResultSchema } from "../../../model/backup/protocol";
import {
  backUp,
  backUpWell,
  killBackup,
  listRepository,
  readAttempt,
  readManifest,
  schedule,
} from "../../support/backups/agent-backups";
import { useServer } from "../../support/servers/server";
import { whileHeld } from "../../support/databases/held-session";
import { until } from "../../support/time/until";

const server = useServer({ backupsSize: "40m" });

/** Its sequence is what keeps `pg_dump` waiting when it has begun. */
const shop = "CREATE TABLE a AS SELECT generate_series(1, 1000) i; CREATE SEQUENCE numbers";

beforeAll(async () => {
  await server.createDatabase("shop", shop);
  await server.createDatabase("other", "CREATE TABLE b AS SELECT generate_series(1, 10) i");
  await schedule(server, {
    patient: { databases: ["shop"], lockTimeout: "60 s" },
    impatient: { databases: ["shop"], lockTimeout: "1 s" },
    hurried: { databases: ["shop"], lockTimeout: "60 s", timeLimit: "2 s" },
    small: { databases: ["other"] },
    large: { databases: ["large"], compression: "none" },
  });
});

/** Somebody keeps a sequence, or something else, for himself while `work` is done. */
async function whileLocked<T>(work: () => Promise<T>, sql = "DROP SEQUENCE numbers"): Promise<T> {
  return whileHeld(server, { database: "shop", sql }, work);
}

/** Until `pg_dump` waits for it: the middle of a backup. */
async function isWaiting(): Promise<boolean> {
  const sql =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'";
  return (await server.sql("postgres", sql)) !== "0";
}

/** How many calls of the agent wait for the job that runs: they have asked for its lock at least twice. */
async function callsWaiting(): Promise<number> {
  const sql = `SELECT count(*) FROM pg_stat_activity a
    WHERE query ~ 'pg_try_advisory_lock' AND pid <> pg_backend_pid() AND query_start - backend_start > '0.4 s'
      AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND locktype = 'advisory' AND granted)`;
  return Number(await server.sql("postgres", sql));
}

/** That a failed attempt is recorded, and nothing of it lies where backups are. */
async function expectFailed(
  { status, result }: Awaited<ReturnType<typeof backUp>>,
  cause: string | RegExp,
): Promise<void> {
  expect(result.succeeded).toBe(false);
  expect(status).toBe(1);
  expect(result.text).toMatch(cause);
  expect(result.text).toMatch(/\n {2}fix {7}\S/);
  const id = result.backup ?? "";
  expect((await listRepository(server)).filter((name) => name.startsWith(id))).toEqual([]);
  expect(await readAttempt(server, id)).toMatchObject({ result: "failed", text: result.text });
}

async function programsLeft(): Promise<string> {
  const { stdout } = await server.run([
    ...[
      "bash",
      "-c",
      "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -E '^pg_dump ' ; done; true",
    ],
  ]);
  return stdout;
}

describe("nothing that looks like a backup is left, and the catalogue tells why,", () => {
  test("when a table stays locked for too long", async () => {
    const failed = await whileLocked(async () => backUp(server, "impatient"), "LOCK TABLE a");
    await expectFailed(
      failed,
      /shop could not be dumped\n {2}cause {5}a table of shop was locked by another session for longer than lockTimeout \(public\.a\): held by process \d+ \(postgres, holder, active\)/,
    );
    const log = (await readAttempt(server, failed.result.backup ?? ""))?.logs[0] ?? "";
    const { stdout } = await server.agent(["log", log]);
    expect(stdout).toContain("canceling statement due to lock timeout");
  });

  test("when the database is dropped in the middle", async () => {
    const failed = await whileLocked(async () => {
      const attempt = backUp(server, "patient");
      await until("pg_dump waits", isWaiting);
      await server.sql("postgres", "DROP DATABASE shop WITH (FORCE)");
      return attempt;
    });
    await expectFailed(failed, /the connection was lost while shop was being backed up/);
    await server.createDatabase("shop", shop);
  });

  test("when the connection is cut", async () => {
    const failed = await whileLocked(async () => {
      const attempt = backUp(server, "patient");
      await until("pg_dump waits", isWaiting);
      await server.sql(
        "postgres",
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pg_dump'",
      );
      return attempt;
    });
    await expectFailed(failed, /the connection was lost while shop was being backed up/);
  });

  test("when it is not done within its time limit, and none of its programs goes on", async () => {
    const said = await whileLocked(async () => server.agent(["job", "backup", "hurried"]));
    const result = jobResultSchema.parse(JSON.parse(said.stdout));
    await expectFailed(
      { ...said, result },
      /by hurried[^]*it exceeded its time limit of 2 s\n {2}fix {7}raise timeLimit of hurried/,
    );
    expect(await programsLeft()).toBe("");
  });

  test("when the disk is full half-way, and the next one finds its room again", async () => {
    await server.createDatabase(
      "large",
      "CREATE TABLE noise AS SELECT i, (SELECT string_agg(md5(random()::text || i.n || j), '') FROM generate_series(1, 30) j) t FROM generate_series(1, 60000) i(n)",
    );
    await expectFailed(await backUp(server, "large"), /the disk that holds the backups is full/);
    await server.sql("postgres", "DROP DATABASE large");
    expect((await backUpWell(server, "small")).databases).toHaveLength(1);
  });

  test("when it is killed, at any moment", async () => {
    for (const delay of [0, 400, undefined]) {
      const before = await listRepository(server);
      await whileLocked(async () => {
        const attempt = server.agent(["backup"], { server: server.name, job: "patient" });
        const begun = async (): Promise<boolean> =>
          (await listRepository(server)).some((name) => name.endsWith(".partial"));
        await until("a backup under way", delay === undefined ? isWaiting : begun);
        await sleep(delay ?? 0);
        await killBackup(server);
        expect((await attempt).status).not.toBe(0);
        await until("the end of its programs", async () => (await programsLeft()) === "");
      });
      const partial = (await listRepository(server)).filter((name) => name.endsWith(".partial"));
      const { id } = await backUpWell(server, "small");
      expect(await listRepository(server)).toEqual([...before, id].sort());
      for (const name of partial) {
        const attempt = await readAttempt(server, name.replace(".partial", ""));
        expect(attempt).toMatchObject({ result: "failed", job: null });
        expect(attempt?.text).toContain("the attempt was killed");
      }
    }
  });
});

test("nothing is deleted, forgotten or verified by hand while a job runs, but when it is done", async () => {
  const { id } = await backUpWell(server, "small");
  const order = { server: server.name, pins: [], backups: [id] };
  const said = await whileLocked(async () => {
    const attempt = backUp(server, "patient");
    await until("pg_dump waits", isWaiting);
    const all = [
      server.agent(["backups-delete"], order),
      server.agent(["verify"], { server: server.name, backup: "20200101T000000Z" }),
      server.agent(["backups-forget"], { server: server.name, pins: [], dryRun: false }),
    ];
    await until("all wait for the job", async () => (await callsWaiting()) === all.length);
    expect(await listRepository(server)).toContain(id);
    await server.sql(
      "postgres",
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pg_dump'",
    );
    await attempt;
    return Promise.all(all);
  });
  const waits = /a manual backup, started at .* UTC, is running; waiting for it/;
  expect(said.map(({ stderr }) => stderr)).toEqual([
    expect.stringMatching(waits),
    expect.stringMatching(waits),
    expect.stringMatching(waits),
  ]);
  expect(said.map(({ status }) => status)).toEqual([0, 1, 0]);
  expect(await listRepository(server)).not.toContain(id);
});

test("a table that somebody empties as soon as its dump is done has the rows in the manifest that it has there", async () => {
  const waits = "SELECT count(*) FROM pg_locks WHERE relation = 'a'::regclass AND NOT granted";
  let emptied: Promise<unknown> | undefined;
  const backup = await whileLocked(async () => {
    const attempt = backUp(server, "patient");
    await until("pg_dump waits", isWaiting);
    emptied = server.sql("shop", "TRUNCATE a");
    await until("TRUNCATE waits", async () => (await server.sql("shop", waits)) === "1");
    return { attempt };
  });
  const { result } = await backup.attempt;
  expect(result.succeeded, result.text).toBe(true);
  await emptied;
  const { databases } = await readManifest(server, result.backup ?? "");
  expect(databases[0]?.tables).toEqual([{ schema: "public", name: "a", rows: 1000 }]);
});

test("where the backups' volume is missing, the attempt fails and says so", async () => {
  const request = Buffer.from(JSON.stringify({ server: server.name, job: null }));
  const said = await server.run(
    ["env", "STAGECRAFT_BACKUPS=/nowhere", "stagecraft-agent", "backup"],
    request,
  );
  expect(said.status).toBe(1);
  expect(said.stderr).toContain("cannot write to the backup volume: ENOENT");
});
