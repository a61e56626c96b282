import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { ArchiveObservation } from "../../../model/point-in-time/protocol";
import { archiveConfig, TestArchive } from "../../support/recovery/wal-archive";
import { readMetrics } from "../../support/servers/metrics";
import { docker, label, TestServer, useServer } from "../../support/servers/server";
import { runInAgent } from "../../support/programs/agent-function";
import { useWebhook } from "../../support/servers/webhook";
import { polling } from "../../support/time/limit.mjs";

const server = useServer({ clock: true, archiveSize: "80m" });
const archive = new TestArchive(server);
const hook = useWebhook();
const { told } = hook;
const folder = "/var/lib/pgbackrest";

const rows = async (): Promise<string> =>
  archive.instanceSql("shop", "SELECT string_agg(note, ' ' ORDER BY id) FROM notes");
const write = async (note: string): Promise<{ readonly before: string; readonly after: string }> =>
  archive.write(`(note) VALUES ('${note}')`);
/** The same, and leaves it to the archive as the newest that is there. */
async function archiveLast(note: string): Promise<string> {
  const { after } = await write(note);
  await sleep(slack);
  await archive.nextSegment();
  await archive.until(({ waiting }) => waiting === 0);
  return after;
}
/** So many milliseconds before its end are never claimed to be in the archive. */
const slack = 1050;
const labels = ({ backups }: ArchiveObservation): string[] => backups.map(({ label }) => label);

/** Looks at it as it was at a moment. */
async function recovered(to: string): Promise<string> {
  await archive.createInstance(to);
  try {
    return await rows();
  } finally {
    await archive.removeInstance();
  }
}

/** Has the agent look at its backups and its archive as it does every minute. */
async function look(): Promise<void> {
  const functions = { checkOverdueBackups: "agent/daemon/check-overdue.ts" };
  const check = `await checkOverdueBackups(${JSON.stringify(server.name)})`;
  expect(await runInAgent(server, functions, check)).toMatchObject({ status: 0 });
}

/** Takes away the right to write into a part of the archive, or gives it back. */
async function protect(part: "archive" | "backup", mode: "u-w" | "u+w"): Promise<void> {
  await server.output(["chmod", "-R", mode, `${folder}/${part}`]);
}

beforeAll(async () => {
  const alerts = { webhook: await hook.addressFor(server) };
  const request = { server: server.name, jobs: {}, maintenance: {}, keep: {}, pins: [], alerts };
  expect(await server.agent(["backups-schedule"], request)).toMatchObject({ status: 0 });
  await server.createDatabase(
    "shop",
    "CREATE TABLE notes (id serial PRIMARY KEY, note text NOT NULL)",
  );
  await archive.switchTo(archiveConfig);
  await archive.checkNow();
  await archive.until(({ windows }) => windows.length === 1);
  await write("first");
});

test("what is written last is archived without anything further being written, when archive_timeout is over", async () => {
  expect(await server.sql("postgres", "SHOW archive_timeout")).toBe("45s");
  // The same in a shorter time.
  await server.sql("postgres", "ALTER SYSTEM SET archive_timeout = '1s'");
  await server.sql("postgres", "SELECT pg_reload_conf()");
  await write("alone");
  const segment = await server.sql(
    "postgres",
    "SELECT pg_walfile_name(pg_current_wal_insert_lsn())",
  );
  await expect.poll(async () => (await archive.segments()).join(), polling).toContain(segment);
  await server.sql("postgres", "ALTER SYSTEM RESET archive_timeout");
  await server.sql("postgres", "SELECT pg_reload_conf()");
});

test("a moment after which nothing was changed any more can be recovered to", async () => {
  const { after } = await write("quiet");
  await sleep(slack);
  await server.sql("postgres", "SELECT pg_switch_wal()");
  await archive.until(
    ({ windows, waiting }) => waiting === 0 && new Date(windows[0]?.last ?? 0) > new Date(after),
  );
  expect(await recovered(after)).toBe("first alone quiet");
});

describe("an archive that cannot be written to", () => {
  test.each([
    [
      "is full",
      async () => {
        await server.run(["sh", "-c", `cat /dev/zero >${folder}/filler`]);
      },
      async () => {
        await server.run(["rm", `${folder}/filler`]);
      },
      /No space left on device.*; free space on the disk of the archive volume/,
    ],
    [
      "may not be written to",
      async () => protect("archive", "u-w"),
      async () => protect("archive", "u+w"),
      /Permission denied; make the archive volume writable for PostgreSQL's user/,
    ],
  ] as const)(
    "%s: PostgreSQL goes on, the cause is told, and nothing is missing afterwards",
    async (what, fail, mend, cause) => {
      await fail();
      const { after } = await write(`while it ${what}`);
      await archive.nextSegment();
      const seen = await archive.until(({ failure }) => failure !== null);
      expect(seen.failure).toMatch(cause);
      expect(seen).toMatchObject({ on: true, problem: null, windows: [expect.anything()] });
      await look();
      const health = await server.run(["stagecraft-agent", "health"]);
      expect(health.status).not.toBe(0);
      expect(health.stdout).toMatch(/^archiving fails: /m);
      expect(told.at(-1)).toMatchObject({
        event: "archiving failed",
        text: expect.stringMatching(cause) as string,
      });
      expect(await readMetrics(server)).toMatch(/^stagecraft_wal_lag_seconds\{.*\} [\d.]*[1-9]/m);
      await mend();
      await archive.nextSegment();
      const healed = await archive.until(
        ({ failure, waiting }) => failure === null && waiting === 0,
      );
      expect(healed.windows.length).toBe(1);
      await look();
      expect(told.at(-1)).toMatchObject({ event: "archiving good again" });
      expect(await server.run(["stagecraft-agent", "health"])).toMatchObject({ status: 0 });
      expect(await recovered(after)).toMatch(new RegExp(`while it ${what}$`));
    },
  );
});

describe("when more of the log had been waiting than may", () => {
  let kept: string;
  let lost: string;
  let seen: ArchiveObservation;

  beforeAll(async () => {
    kept = await archiveLast("kept");
    await protect("archive", "u-w");
    ({ after: lost } = await write("lost"));
    await archive.nextSegment();
    await archive.until(({ failure }) => failure !== null);
    for (let more = 0; more < 5; more++) await archive.nextSegment();
    await archive.until(({ waiting }) => waiting <= 4);
    await protect("archive", "u+w");
    await archive.nextSegment();
    await archive.until(({ waiting, failure }) => failure === null && waiting === 0);
    await archive.checkNow();
    seen = await archive.until(({ windows }) => windows.length === 2);
  });

  test("there is a gap, a base backup behind it, and no moment of the gap is said to be recoverable", async () => {
    const [before, after] = seen.windows;
    expect(new Date(before?.last ?? 0) < new Date(lost)).toBe(true);
    expect(new Date(after?.first ?? 0) > new Date(lost)).toBe(true);
    expect((await archive.requestInstance(lost)).stderr).toContain(
      "it is outside of the recoverable time: ",
    );
  });

  test("the moments before it and behind it can be recovered", async () => {
    expect(await recovered(kept)).toMatch(/kept$/);
    const { after } = await write("behind");
    expect(await recovered(after)).toMatch(/kept lost behind$/);
  });
});

test("switched off and on again it has a gap of that time, and the time before can still be recovered", async () => {
  const before = await write("before it was off");
  expect(await archive.switchTo(null)).toBe(true);
  expect(await archive.switchTo(null)).toBe(false);
  const off = await write("while it was off");
  await archive.nextSegment();
  const told = await archive.observed();
  expect(told).toMatchObject({ on: false, failure: null, problem: null });
  expect(new Date(told.windows.at(-1)?.last ?? 0) < new Date(off.before)).toBe(true);
  expect(await archive.switchTo(archiveConfig)).toBe(true);
  await archive.checkNow();
  const seen = await archive.until(({ windows }) => windows.length === told.windows.length + 1);
  expect(new Date(seen.windows.at(-1)?.first ?? 0) > new Date(off.after)).toBe(true);
  expect((await archive.requestInstance(off.after)).stderr).toContain(
    "outside of the recoverable time",
  );
  expect(await recovered(before.after)).toMatch(/before it was off$/);
});

describe("a base backup", () => {
  test("that is killed leaves nothing that looks like one, and the next one is whole", async () => {
    const before = labels(await archive.observed());
    const [stanza] = (await server.run(["ls", `${folder}/backup`])).stdout.split("\n");
    const begun = async (): Promise<number> => {
      const list = await server.run(["ls", `${folder}/backup/${stanza ?? ""}`]);
      return list.stdout.split("\n").filter((name) => /^\d{8}-\d{6}F/.test(name)).length;
    };
    const there = await begun();
    const killed = archive.ask("base-backup", { type: "full" });
    await expect.poll(begun, { ...polling, interval: 20 }).toBe(there + 1);
    await server.kill("agent");
    expect((await killed).status).not.toBe(0);
    await server.restart("agent");
    const seen = await archive.observed();
    expect(labels(seen)).toEqual(before);
    expect(seen.problem).toBeNull();
    expect((await archive.ask("base-backup", { type: "full" })).status).toBe(0);
    expect(await recovered((await write("behind a killed one")).after)).toMatch(/killed one$/);
  });

  test("that fails is told with its cause, and made again ten minutes later", async () => {
    await server.setClock("2030-01-05T00:00:00Z");
    await protect("backup", "u-w");
    const failed = await archive.ask("base-backup", { type: "differential" });
    await protect("backup", "u+w");
    expect(failed).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(
        "Permission denied; make the archive volume writable for PostgreSQL's user",
      ) as string,
    });
    expect((await archive.observed()).lastBackup).toMatchObject({ result: "failed" });
    await server.setClock("2030-01-05T00:10:00Z");
    await archive.checkNow();
    const { lastBackup } = await archive.until(
      ({ lastBackup: last }) => last?.result === "backed up",
    );
    expect(lastBackup).toMatchObject({
      type: "differential",
      startedAt: "2030-01-05T00:10:00.000Z",
    });
  });

  test("is made by the schedule: a full one, differential ones upon it, and only the full ones that are kept stay", async () => {
    expect(await archive.switchTo({ ...archiveConfig, keepFull: 2 })).toBe(true);
    const made: string[] = [];
    for (const [moment, type] of [
      ["2030-01-06T01:00:00Z", "full"],
      ["2030-01-07T01:00:00Z", "differential"],
      ["2030-01-13T01:00:00Z", "full"],
      ["2030-01-20T01:00:00Z", "full"],
    ] as const) {
      await server.setClock(moment);
      await archive.checkNow();
      const { lastBackup, backups } = await archive.until(
        ({ lastBackup: last }) => last !== null && new Date(last.startedAt) >= new Date(moment),
      );
      expect(lastBackup).toMatchObject({ result: "backed up", type });
      expect(backups.at(-1)).toMatchObject({ type });
      made.push(backups.at(-1)?.label ?? "");
    }
    expect(labels(await archive.observed())).toEqual(made.slice(2));
  });
});

describe("a copy of the server that has its archive, too", () => {
  const copy = new TestServer({ archiveVolume: server.volume("archive") });

  test("never archives into it, neither by itself nor when it is asked to", async () => {
    try {
      const image = await docker("inspect", "--format", "{{.Config.Image}}", server.agentContainer);
      await docker("pause", server.postgres);
      await docker(
        ...["run", "--rm", "--label", `${label}=${server.resourcePrefix}`],
        ...["--volume", `${server.volume("data")}:/from:ro`],
        ...[
          "--volume",
          `${copy.volume("data")}:/var/lib/postgresql/data`,
          "--entrypoint",
          "cp",
          image,
        ],
        ...["-a", "/from/.", "/var/lib/postgresql/data/"],
      ).finally(async () => docker("unpause", server.postgres));
      const before = await archive.segments();
      await copy.start();
      const other = new TestArchive(copy);
      // It has brought the command along.
      expect(await copy.sql("postgres", "SHOW archive_command")).toContain(server.name);
      await copy.sql("shop", "INSERT INTO notes (note) VALUES ('of the copy')");
      await other.nextSegment();
      await expect.poll(async () => (await other.observed()).waiting, polling).toBe(0);
      const state = await server.output(["cat", `${folder}/stagecraft/state.json`]);
      for (const wanted of [archiveConfig, null, archiveConfig]) {
        const said = await other.ask("archive", { archive: wanted });
        if (wanted)
          expect(said).toMatchObject({
            status: 1,
            stderr: `the archive volume belongs to server ${server.name}, not ${copy.name}; give ${copy.name} an empty archive volume\n`,
          });
      }
      await other.checkNow();
      await other.nextSegment();
      await expect.poll(async () => (await other.observed()).waiting, polling).toBe(0);
      expect((await other.requestInstance("latest")).stderr).toContain("belongs to server");
      expect(await archive.segments()).toEqual(before);
      expect(await server.output(["cat", `${folder}/stagecraft/state.json`])).toEqual(state);
    } finally {
      await copy.remove();
    }
  });
});

test("a cluster that was made anew has a part of the archive to itself, and the former one can still be recovered", async () => {
  const after = await archiveLast("of the former cluster");
  const { windows } = await archive.observed();
  await docker("stop", server.postgres);
  await server.run(["rm", "-rf", "/var/lib/postgresql/data/pgdata"]);
  await server.restart("postgres");
  await expect
    .poll(async () => (await server.trySql("postgres", "SELECT 1")).status, polling)
    .toBe(0);
  const said = await archive.ask("archive", { archive: archiveConfig });
  expect(said.stderr).toContain("is a new cluster");
  expect(said.status).toBe(0);
  await archive.checkNow();
  const seen = await archive.until(({ windows: found }) => found.length === windows.length + 1);
  const former = seen.windows.slice(0, -1);
  expect(former.map(({ first }) => first)).toEqual(windows.map(({ first }) => first));
  // What was written at the stop came there, too.
  for (const [i, { last }] of former.entries())
    expect(Date.parse(last)).toBeGreaterThanOrEqual(Date.parse(windows[i]?.last ?? ""));
  expect(await recovered(after)).toMatch(/of the former cluster$/);
});

test("an archive that was emptied is told of, and begun again by the next up", async () => {
  await server.run(["sh", "-c", `rm -rf ${folder}/*`]);
  await archive.nextSegment();
  const { failure } = await archive.until((seen) => seen.failure !== null);
  expect(failure).toContain("it was recreated or emptied; run pulumi up again");
  expect(await archive.switchTo(archiveConfig)).toBe(true);
  await archive.checkNow();
  const seen = await archive.until(({ windows }) => windows.length === 1);
  expect(seen).toMatchObject({ on: true, problem: null });
});
