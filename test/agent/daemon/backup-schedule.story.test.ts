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
import { holdSession } from "../../support/databases/held-session";
import { until } from "../../support/time/until";

const server = useServer({ clock: true });

beforeAll(async () => {
  await server.setClock("2030-03-01T12:00:00Z");
  await server.createDatabase("shop", "CREATE TABLE a AS SELECT generate_series(1, 100) i");
  await schedule(
    server,
    { nightly: { schedule: "29 3 * * *" } },
    { weekly: { schedule: "0 5 * * sun", work: "analyze" } },
  );
  // A new schedule has missed nothing; runs count from the agent's first look at it.
  await until("the agent's record of jobs", async () => {
    const { status } = await server.run(["cat", "/var/lib/stagecraft/jobs.json"]);
    return status === 0;
  });
});

async function backups(): Promise<Observation["backups"]> {
  const { stdout } = await server.agent(["observe"]);
  return observationSchema.parse(JSON.parse(stdout)).backups;
}

/** Until the job's last run is of this day, and nothing runs any more. */
async function ranOn(job: string, day: string): Promise<void> {
  await until(`a run of ${job} on ${day}`, async () => {
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
  const next = async (): Promise<string | undefined> => (await backups()).jobs[0]?.next[0];
  await until("the new schedule", async () => (await next()) === "2030-03-03T07:00:00.000Z");
  await server.setClock("2030-03-03T07:00:01Z");
  await ranOn("nightly", "2030-03-03T07");
  expect((await listRepository(server)).at(-1)).toMatch(/^20300303T0700/);
});

test("an agent that dies with a backup under way makes up for it when it comes back, and tells of both", async () => {
  const session = await holdSession(server, "shop", "LOCK TABLE a");
  await server.setClock("2030-03-04T07:00:00Z");
  const partial = "20300304T070000Z.partial";
  const listed = async (name: string): Promise<boolean> =>
    (await listRepository(server)).includes(name);
  await until("a backup under way", async () => listed(partial));
  await server.kill("agent");
  await server.restart("agent");
  await session.release();
  await server.setClock("2030-03-04T09:00:00Z");
  await until("the next backup", async () => listed("20300304T090000Z"));
  expect(await listRepository(server)).not.toContain(partial);
  expect(await readAttempt(server, "20300304T070000Z")).toMatchObject({
    ...{ result: "failed", job: "nightly" },
  });
});

test("of two jobs, one of them of some databases, each database has a verified backup every night, and is late alone", async () => {
  await server.createDatabase("billing", "CREATE TABLE b AS SELECT generate_series(1, 10) i");
  const request = {
    ...{ server: server.name, maintenance: {}, pins: [], keep: { daily: 2 } },
    jobs: {
      nightly: { schedule: "0 2 * * *" },
      early: { schedule: "0 5 * * *", databases: ["shop"] },
    },
    verify: { schedule: "29 5 * * *" },
  };
  await server.setClock("2030-03-04T10:00:00Z");
  expect(await server.agent(["backups-schedule"], request)).toMatchObject({ status: 0 });
  await until("the new schedule", async () => (await backups()).jobs.length === 3);
  const nights = ["2030-03-05", "2030-03-06", "2030-03-07"];
  for (const day of nights) {
    for (const [job, time] of [
      ["nightly", "02:00"],
      ["early", "05:00"],
      ["verify", "05:29"],
    ] as const) {
      await server.setClock(`${day}T${time}:00Z`);
      await ranOn(job, `${day}T${time.slice(0, 2)}`);
    }
  }
  const kept = await listRepository(server);
  // Two days of each database; the first night's are gone.
  for (const id of ["20300306T020000Z", "20300306T050000Z", "20300307T020000Z", "20300307T050000Z"])
    expect(kept).toContain(id);
  expect(kept).not.toContain("20300305T050000Z");
  expect(await backups()).toMatchObject({
    databases: [
      { name: "billing", newest: "20300307T020000Z", newestVerified: "20300307T020000Z" },
      { name: "shop", newest: "20300307T050000Z", newestVerified: "20300307T050000Z" },
    ],
    late: [],
  });
});
