import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { observationSchema, type Observation } from "../../../model/observation/observation";
import {
  listRepository,
  readAttempt,
  readManifest,
  rowsIn,
  rowsOf,
  schedule,
} from "../../support/backups/agent-backups";
import { useServer } from "../../support/servers/server";

const server = useServer({ clock: true });

beforeAll(async () => {
  await server.setClock("2030-03-01T12:00:00Z");
  await server.createDatabase("shop", "CREATE TABLE a AS SELECT generate_series(1, 100) i");
  await schedule(
    server,
    { nightly: { schedule: "29 3 * * *" } },
    { weekly: { schedule: "0 5 * * sun", work: "analyze" } },
  );
  // Whoever is new has missed nothing; from the first look on it counts.
  await until(
    async () => (await server.run(["cat", "/var/lib/stagecraft/jobs.json"])).status === 0,
  );
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("it never came about");
    await sleep(200);
  }
}

async function backups(): Promise<Observation["backups"]> {
  const { stdout } = await server.agent(["observe"]);
  return observationSchema.parse(JSON.parse(stdout)).backups;
}

/** Until the job's last run is of this day, and nothing runs any more. */
async function ranOn(job: string, day: string): Promise<void> {
  await until(async () => {
    const { jobs, running } = await backups();
    return (
      running === null &&
      (jobs.find(({ name }) => name === job)?.last?.startedAt ?? "").startsWith(day)
    );
  });
}

test("before the first night nothing has run, and the next five runs are told", async () => {
  const { jobs, newest, lastAttempt, running } = await backups();
  expect({ newest, lastAttempt, running }).toEqual({
    newest: null,
    lastAttempt: null,
    running: null,
  });
  expect(
    jobs.map(({ kind, name, next, last }) => [kind, name, next.length, next[0], last]),
  ).toEqual([
    ["backup", "nightly", 5, "2030-03-02T03:29:00.000Z", null],
    ["maintenance", "weekly", 5, "2030-03-03T05:00:00.000Z", null],
  ]);
});

test("night after night a backup is made at its time, of what is there then", async () => {
  for (const day of ["2030-03-02", "2030-03-03"]) {
    await server.sql("shop", "INSERT INTO a SELECT generate_series(1, 11)");
    await server.setClock(`${day}T03:29:00Z`);
    await ranOn("nightly", day);
    const id = `${day.replaceAll("-", "")}T032900Z`;
    expect(await listRepository(server)).toContain(id);
    const manifest = await readManifest(server, id);
    expect(manifest.job).toBe("nightly");
    expect(rowsIn(manifest, "shop")).toEqual(await rowsOf(server, "shop"));
    expect(await backups()).toMatchObject({
      newest: id,
      newestVerified: null,
      lastAttempt: { id },
    });
  }
});

test("maintenance runs at its time, too", async () => {
  await server.setClock("2030-03-03T05:00:10Z");
  await ranOn("weekly", "2030-03-03");
  const { jobs } = await backups();
  expect(jobs.at(-1)?.last).toMatchObject({ succeeded: true });
  expect(jobs.at(-1)?.last?.text).toMatch(/^analyze of 1 database · /);
});

test("a schedule that is changed is in force without a restart", async () => {
  await schedule(server, { nightly: { schedule: "0 7 * * *" } });
  await until(async () => (await backups()).jobs[0]?.next[0] === "2030-03-03T07:00:00.000Z");
  await sleep(2000);
  await server.setClock("2030-03-03T07:00:01Z");
  await until(async () => (await listRepository(server)).includes("20300303T070001Z"));
});

test("an agent that dies with a backup under way makes up for it when it comes back, and tells of both", async () => {
  const holding = server.trySql("shop", "BEGIN; LOCK TABLE a; SELECT pg_sleep(300)", [
    "PGAPPNAME=holder",
  ]);
  await server.setClock("2030-03-04T07:00:00Z");
  const partial = "20300304T070000Z.partial";
  await until(async () => (await listRepository(server)).includes(partial));
  await server.kill("agent");
  await server.startAgain("agent");
  await server.sql(
    "postgres",
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'holder'",
  );
  await holding;
  await server.setClock("2030-03-04T09:00:00Z");
  await until(async () => (await listRepository(server)).includes("20300304T090000Z"));
  expect(await listRepository(server)).not.toContain(partial);
  expect(await readAttempt(server, "20300304T070000Z")).toMatchObject({
    ...{ result: "failed", job: "nightly" },
  });
});
