import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { isVerified, type CatalogueEntry } from "../../../model/backup/catalogue";
import { catalogueSchema } from "../../../model/backup/catalogue-protocol";
import { backupsRequestSchema } from "../../../model/backup/protocol";
import { backupIdSchema } from "../../../model/backup/backup-id";
import { formatBackupId, type BackupId } from "../../../model/base/names";
import {
  copy,
  listRepository,
  readManifest,
  repository,
  restoreDump,
  rowsIn,
  rowsOf,
} from "../../support/backups/agent-backups";
import { useServer } from "../../support/servers/server";
import { whileHeld } from "../../support/databases/held-session";
import { limit, minute } from "../../support/time/limit.mjs";
import { until } from "../../support/time/until";

const server = useServer({ clock: true, backupsSize: "64m" });
const nights = 40;
const keep = { daily: 8, weekly: 3, monthly: 2 };

/** A day of the month, at a time; summer time begins in it where there is one. */
const at = (night: number, time: string): Date =>
  new Date(Date.parse(`2030-03-01T${time}Z`) + night * 86_400_000);

/** What happens in a night, and what the catalogue has to tell of it. */
interface Fault {
  /** Done instead of letting the night's backup be made at its time. */
  readonly night?: (night: number) => Promise<void>;
  /** Done to the night's backup when it has been verified. */
  readonly afterwards?: (id: BackupId) => Promise<void>;
  /** What the record of the night's failed attempt tells. */
  readonly failure?: RegExp;
  /** What the verification of its backup tells a week later. */
  readonly finding?: RegExp;
  /** How many good backups the night has all the same. */
  readonly backups: 0 | 1;
}

/** What somebody keeps for himself: the backup waits for a table before its dump, and for a sequence in its middle. */
const holds = { table: "LOCK TABLE held", sequence: "DROP SEQUENCE pace" } as const;

const terminate = (name: string): string =>
  `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '${name}'`;

/** Until the backup waits for what is held. */
async function untilDumping(): Promise<void> {
  const waiting =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('pg_dump', 'stagecraft-agent') AND wait_event_type = 'Lock'";
  await until("a backup that waits", async () => (await server.sql("postgres", waiting)) !== "0");
}

/** Something that happens in the middle of the night's backup. */
const midway =
  (
    act: () => Promise<unknown>,
    { database = "shop", what = "sequence" }: { database?: string; what?: keyof typeof holds } = {},
  ) =>
  async (night: number): Promise<void> =>
    whileHeld(server, { database, sql: holds[what] }, async () => {
      await server.setClock(at(night, "03:29:00").toISOString());
      await untilDumping();
      await act();
    });

async function inRepository(script: string): Promise<void> {
  await server.output(["bash", "-ec", `cd ${repository} && ${script}`]);
}
const spoil = (script: string) => async (id: BackupId) =>
  inRepository(`cd ${id} && f=$(find . -name '*.dat*' -size +0 | head -n 1) && ${script}`);

/** By the number of their night. */
const faults: Readonly<Record<number, Fault>> = {
  2: {
    failure: /locked by another session for longer than lockTimeout/,
    night: midway(async () => ran("nightly", 2), { what: "table" }),
    backups: 0,
  },
  4: {
    failure: /the connection was lost while (?:shop|other one) was being backed up/,
    night: midway(async () => server.sql("postgres", terminate("pg_dump"))),
    backups: 0,
  },
  5: { afterwards: spoil('printf x >> "$f"'), finding: /has grown/, backups: 1 },
  8: {
    failure: /the disk that holds the backups is full/,
    night: async (night) => {
      await inRepository("head -c 1G /dev/zero > filler || true");
      await onTime(night);
      await inRepository("rm filler");
    },
    backups: 0,
  },
  11: {
    failure: /the attempt was killed/,
    night: midway(async () => {
      await server.kill("agent");
      await server.restart("agent");
      await server.setClock(at(11, "03:40:00").toISOString());
    }),
    backups: 1,
  },
  13: {
    afterwards: spoil('truncate -s -5 "$f"'),
    finding: /is truncated/,
    backups: 1,
  },
  15: {
    failure: /the connection was lost while (?:shop|other one) was being backed up/,
    night: midway(async () => server.sql("postgres", 'DROP DATABASE "other one" WITH (FORCE)'), {
      database: "other one",
    }),
    backups: 0,
  },
  18: {
    // The agent is down all night.
    night: async (night) => {
      await server.kill("agent");
      await server.restart("agent");
      await server.setClock(at(night, "09:00:00").toISOString());
    },
    backups: 1,
  },
  20: {
    failure: /the attempt was killed|was interrupted|ended without a result/,
    night: midway(async () => killJob()),
    backups: 0,
  },
  22: {
    // The clock goes back after the backup, and the hour comes again.
    night: async (night) => {
      await onTime(night);
      await server.setClock(at(night, "02:29:00").toISOString());
      await sleep(500);
    },
    backups: 1,
  },
  25: {
    failure: /the connection was lost|the agent cannot connect to PostgreSQL|shut down/,
    night: midway(async () => {
      await server.kill("postgres");
      await server.restart("postgres");
      const answers = async (): Promise<boolean> =>
        (await server.trySql("postgres", "SELECT")).status === 0;
      await until("PostgreSQL answers", answers);
    }),
    backups: 0,
  },
  27: { afterwards: spoil('rm "$f"'), finding: /is missing/, backups: 1 },
  30: {
    // Nobody looks at the clock between the evening and the morning.
    night: async (night) => server.setClock(at(night, "08:15:00").toISOString()),
    backups: 1,
  },
};

async function killJob(): Promise<void> {
  const script = `for p in /proc/[0-9]*; do
    tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '[a]gent.js job' && kill -KILL \${p#/proc/}
  done; true`;
  await server.run(["bash", "-c", script]);
}

/** When a job's last run began, by the agent's clock. */
async function lastRun(job: string): Promise<Date> {
  const { stdout } = await server.run(["cat", "/var/lib/stagecraft/jobs.json"]);
  const kind = job === "verify" ? "verification" : "backup";
  const states = JSON.parse(stdout) as Record<
    string,
    { last: { startedAt: string } | null; begun: unknown }
  >;
  const { last, begun } = states[`${kind}/${job}`] ?? { last: null, begun: null };
  return new Date(begun === null ? (last?.startedAt ?? 0) : 0);
}

async function ran(job: string, night: number): Promise<void> {
  const isOver = async (): Promise<boolean> => (await lastRun(job)) >= at(night, "00:00:00");
  await until(`the run of ${job} in night ${night}`, isOver);
}

async function onTime(night: number): Promise<void> {
  await server.setClock(at(night, "03:29:00").toISOString());
  await ran("nightly", night);
}

/** What goes by the name of a backup. */
async function backups(): Promise<BackupId[]> {
  return (await listRepository(server)).flatMap(
    (name) => backupIdSchema.safeParse(name).data ?? [],
  );
}

async function catalogue(): Promise<CatalogueEntry[]> {
  const { stdout } = await server.agent(["backups"], { server: server.name, pins: [] });
  return catalogueSchema.parse(JSON.parse(stdout)).entries;
}

/** Somebody works: each piece changes two tables together, so that a copy that tore them apart would show. */
const work = "SELECT work(); SELECT pg_sleep(0.03);\n";

/** That the catalogue has the failed attempt of a night, with its cause. */
async function expectTold(night: number, failure: RegExp): Promise<void> {
  const attempts = (await catalogue()).filter(
    ({ id, attempt }) =>
      id >= formatBackupId(at(night, "00:00:00")) &&
      id < formatBackupId(at(night, "23:59:59")) &&
      attempt?.result === "failed",
  );
  const texts = attempts.map(({ attempt }) => attempt?.text);
  expect(texts, `night ${night}`).toEqual([expect.stringMatching(failure)]);
  expect(attempts.map(({ backup }) => backup)).toEqual([null]);
}

async function makeOtherOne(): Promise<void> {
  await server.createDatabase(
    "other one",
    "CREATE TABLE held AS SELECT generate_series(1, 50) i; CREATE SEQUENCE pace; SELECT lo_from_bytea(0, 'large')",
  );
}

beforeAll(async () => {
  await server.setClock(at(-1, "12:00:00").toISOString());
  await server.createDatabase(
    "shop",
    `CREATE TABLE held AS SELECT generate_series(1, 200) i;
     CREATE SEQUENCE pace;
     CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT NULL);
     CREATE TABLE totals (events bigint NOT NULL);
     INSERT INTO totals VALUES (0);
     CREATE FUNCTION work() RETURNS void LANGUAGE sql AS $$
       INSERT INTO events (note) VALUES (repeat(md5(random()::text), 20));
       UPDATE totals SET events = events + 1;
     $$;
     SELECT work() FROM generate_series(1, 200)`,
  );
  await makeOtherOne();
  const request = backupsRequestSchema.parse({
    server: server.name,
    jobs: { nightly: { schedule: "29 3 * * *", lockTimeout: "3 s" } },
    maintenance: {},
    keep,
    verify: { schedule: "10 4 * * *" },
    pins: [],
  });
  expect(await server.agent(["backups-schedule"], request)).toMatchObject({ status: 0 });
  await until("the agent's record of jobs", async () => {
    const { status } = await server.run(["cat", "/var/lib/stagecraft/jobs.json"]);
    return status === 0;
  });
});

/** What an observer who wrote down each night expects to be there: the newest of so many days, weeks and months. */
function expectedToStay(good: readonly BackupId[]): BackupId[] {
  const stays = new Set<BackupId>();
  const dayOf = (id: BackupId): number =>
    Date.UTC(Number(id.slice(0, 4)), Number(id.slice(4, 6)) - 1, Number(id.slice(6, 8))) /
    86_400_000;
  const buckets = [
    [keep.daily, dayOf],
    // Day 0 was a Thursday, and weeks begin on Monday.
    [keep.weekly, (id: BackupId) => Math.floor((dayOf(id) + 3) / 7)],
    [keep.monthly, (id: BackupId) => Number(id.slice(0, 6))],
  ] as const;
  for (const [count, bucketOf] of buckets) {
    const newest = new Map<number, BackupId>();
    for (const id of good.toSorted()) newest.set(bucketOf(id), id);
    const chosen = [...newest.values()].slice(-count);
    for (const id of chosen) stays.add(id);
    const [oldest] = good.toSorted();
    if (newest.size < count && oldest) stays.add(oldest);
  }
  return [...stays].sort();
}

test(
  `of ${nights} nights, with a fault in every third, every backup that is kept is whole, and every fault is told of`,
  { timeout: limit(60 * minute) },
  async () => {
    /** Events before and after each backup. */
    const seen = new Map<BackupId, [number, number]>();
    const spoilt = new Map<BackupId, { night: number; finding: RegExp }>();
    let good: BackupId[] = [];
    const events = async (): Promise<number> =>
      Number(await server.sql("shop", "SELECT count(*) FROM events"));

    for (let night = 0; night < nights; night++) {
      const fault = faults[night];
      const known = await backups();
      const before = await events();
      const working = server.trySql("shop", work.repeat(10));
      await (fault?.night ?? onTime)(night);
      await ran("nightly", night);
      await working;
      if (night === 15) await makeOtherOne();
      const after = await events();

      // The record of one that was killed is written when the next job begins.
      const yesterday = faults[night - 1]?.failure;
      if (yesterday) await expectTold(night - 1, yesterday);
      await server.setClock(at(night, fault?.night ? "09:30:00" : "04:10:00").toISOString());
      await ran("verify", night);
      const made = (await backups()).filter((id) => !known.includes(id));
      expect(made, `night ${night}`).toHaveLength(fault?.backups ?? 1);
      for (const id of made) seen.set(id, [before, after]);
      const entries = await catalogue();
      for (const [id, { night: since, finding }] of spoilt) {
        if (night < since + 7) continue;
        const told = entries.find((entry) => entry.id === id)?.verification;
        expect(told, `night ${night}: ${id}`).toMatchObject({ result: "failed" });
        expect(told?.text).toMatch(finding);
        good = good.filter((one) => one !== id);
        spoilt.delete(id);
      }
      // Of several that wait for it the newest is verified.
      good = expectedToStay([...good, ...made.slice(-1)]);
      // What was killed in this very night may still lie there.
      if (!fault?.night)
        expect(await listRepository(server), `night ${night}`).toEqual(await backups());
      const counted = entries.filter(isVerified).map(({ id }) => id);
      expect(counted.sort(), `night ${night}`).toEqual(good);
      for (const id of made) {
        if (fault?.afterwards === undefined || !fault.finding) continue;
        await fault.afterwards(id);
        spoilt.set(id, { night, finding: fault.finding });
      }
    }
    expect(spoilt.size).toBe(0);
    expect(Object.keys(faults)).toHaveLength(Math.floor(nights / 3));

    for (const id of good) {
      const manifest = await readManifest(server, id);
      for (const { name } of manifest.databases) {
        await restoreDump(server, manifest, name);
        expect(await rowsOf(server, copy), `${id} ${name}`).toEqual(rowsIn(manifest, name));
        if (name !== "shop") continue;
        const told = await server.sql(
          copy,
          "SELECT events, (SELECT count(*) FROM events) FROM totals",
        );
        const [total = "", count = ""] = told.split("|");
        expect(count).toBe(total);
        const [least, most] = seen.get(id) ?? [0, 0];
        expect(Number(count)).toBeGreaterThanOrEqual(least);
        expect(Number(count)).toBeLessThanOrEqual(most);
      }
    }
    expect(good.length).toBeGreaterThan(8);
  },
);
