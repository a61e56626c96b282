import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { sha256Of } from "../../agent/system/digest";
import { mask } from "../../components";
import type { Preparation } from "../../model/restore/preparation";
import { docker, useServer } from "../support/servers/server";
import { plainDump } from "../support/databases/shop";
import { useLiveDatabase } from "../support/databases/live-database";
import { until } from "../support/time/until";

const server = useServer({ dataSize: "400m", agentSize: "600m", memory: "1g" });
const former = useLiveDatabase(server);

/** On PostgreSQL's volume. */
const filler = "/var/lib/postgresql/data/filler";

const startedAt = async (): Promise<string> =>
  server.sql("postgres", "SELECT pg_postmaster_start_time(), pg_is_in_recovery()");
let started = "";
beforeAll(async () => {
  started = await startedAt();
});

/** On the agent's volume. */
const agentFiller = "/var/lib/stagecraft/filler";

const rows = (count: number): string =>
  `CREATE TABLE public.t (id int, note text);\nCOPY public.t (id, note) FROM stdin;\n${"1\tsome text that fills the disk\n".repeat(count)}\\.\n`;

describe("a disk that is too small", () => {
  test("is seen before anything is done, from the size of the dump", async () => {
    const dump = Buffer.from(plainDump(rows(6_000_000)));
    const text =
      /large\.sql needs about 3\d\d MB on PostgreSQL's volume, which has \d+ MB free; free some space or move the volume to a larger disk/;
    const { result } = await former.expectRefused(dump, "large.sql", text);
    expect(result.steps.map(({ name }) => name)).toEqual(["read"]);
  });

  test.each([
    ["plain", (sql: string) => Promise.resolve(Buffer.from(plainDump(sql)))],
    ["custom", archiveOf],
  ])(
    "stops a restore that grows more than expected, while PostgreSQL still has room: %s",
    async (_, dumpOf) => {
      // Every row becomes a thousand.
      const many = `CREATE FUNCTION public.more() RETURNS boolean LANGUAGE plpgsql AS $$
      BEGIN
        IF current_database() <> 'live__incoming' THEN RETURN true; END IF;
        CREATE TABLE public.filler (v text);
        FOR i IN 1..1000 LOOP INSERT INTO public.filler SELECT repeat('x', 1000) FROM generate_series(1, 1000); END LOOP;
        RETURN true;
      END $$;
      CREATE MATERIALIZED VIEW public.m AS SELECT 1 AS one;
      CREATE VIEW public.v AS SELECT 1;
      CREATE TABLE public.t (id int);
      ALTER TABLE public.t ADD CHECK (public.more());`;
      const fill = "INSERT INTO public.t VALUES (1);";
      const text =
        /cause {5}the restore was stopped before PostgreSQL's volume was full, with [\d.]+ MB left; free some space/;
      await former.expectRefused(await dumpOf(`${many}\n${fill}`), "growing", text);
      expect(await startedAt()).toBe(started);
    },
  );

  const fill =
    "CREATE TABLE filler AS SELECT repeat(md5(i::text), 30) AS v FROM generate_series(1, 1000000) i;";
  const script = { package: "application", from: "1.0", to: "1.1", name: "upgrade-1.0-1.1.sql" };
  const empty = "CREATE TABLE public.t (id int);";
  const many = `${empty}\nINSERT INTO public.t SELECT generate_series(1, 100000);`;
  test.each<[string, string, Preparation]>([
    [
      "an upgrade script",
      empty,
      {
        upgrades: {
          scripts: [{ ...script, text: fill, sha256: sha256Of(fill) }],
          rules: { gaps: "refused", baseline: "1.0" },
        },
      },
    ],
    [
      "masks that are longer than what they mask",
      "CREATE TABLE public.t (note text);\nINSERT INTO public.t SELECT i FROM generate_series(1, 100000) i;",
      {
        masks: {
          classify: "strict",
          columns: {
            "t.note": mask.sql(
              "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i)",
            ),
          },
        },
      },
    ],
    ["a defuse statement", empty, { defuse: [{ name: "fill", sql: fill, expect: "SELECT true" }] }],
    [
      "kept rows, which are larger in their new table",
      "CREATE TABLE public.former (id int, more text STORAGE EXTERNAL GENERATED ALWAYS AS (repeat(id::text, 40000000)) STORED);",
      { keep: [{ table: "former" }] },
    ],
    [
      "statistics, whose functions write",
      `${many}
       CREATE TABLE public.filler (v text);
       CREATE FUNCTION public.fill() RETURNS boolean LANGUAGE plpgsql AS $$
       BEGIN
         IF pg_catalog.current_query() !~* '^ANALYZE' THEN RETURN true; END IF;
         FOR i IN 1..1000 LOOP INSERT INTO public.filler SELECT repeat('x', 1000) FROM generate_series(1, 1000); END LOOP;
         RETURN true;
       END $$;
       CREATE FUNCTION public.same(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.fill(); RETURN id; END $$;
       CREATE INDEX ON public.t (public.same(id));`,
      {},
    ],
  ])("stops what is done to the contents in the same way: %s", async (_, sql, prepare) => {
    const dump = Buffer.from(plainDump(sql));
    const text =
      /cause {5}the restore was stopped before PostgreSQL's volume was full, with [\d.]+ MB left; free some space/;
    await former.expectRefused(dump, "small.sql", text, { prepare });
    expect(await startedAt()).toBe(started);
  });

  test("and full at the moment of the swap, and of the way back, leaves whole contents under the name", async () => {
    const database = "swapped";
    const dumpOf = (count: number): Buffer => Buffer.from(plainDump(rows(count)));
    const first = await server.restore({ database, dump: dumpOf(3) });
    // After statistics of catalogues a new session writes a cache to the disk, and ends when it cannot.
    await server.sql("postgres", "ALTER SYSTEM SET autovacuum = off");
    await server.sql("postgres", "SELECT pg_reload_conf()");
    try {
      const held = server.trySql(database, "SELECT pg_sleep(7200)");
      const pid = await untilThere("datname = 'swapped' AND query ~ 'pg_sleep'");
      // The swap waits for this session, which cannot end.
      await docker("exec", server.postgres, "kill", "-STOP", pid);
      const swapping = server.restore({ database, dump: dumpOf(4) });
      try {
        await untilThere("query ~ '^ALTER DATABASE .* RENAME'");
        await server.run(["sh", "-c", `dd if=/dev/zero of=${filler} bs=64k`]);
        const left = await server.run(["df", "--output=avail", filler]);
        expect(left.stdout).toMatch(/^\s*Avail\s+0\s*$/);
      } finally {
        await docker("exec", server.postgres, "kill", "-CONT", pid);
        await held;
      }
      expect((await swapping).result).toMatchObject({ result: "restored" });
      expect(await server.sql(database, "SELECT count(*) FROM t")).toBe("4");
      const back = { database, source: first.result.source, restoreId: "back" };
      expect((await server.restoreReceived(back)).result).toMatchObject({ result: "brought back" });
      expect(await server.sql(database, "SELECT count(*) FROM t")).toBe("3");
    } finally {
      await server.run(["rm", "-f", filler]);
      await server.sql("postgres", "ALTER SYSTEM RESET autovacuum");
      await server.sql("postgres", "SELECT pg_reload_conf()");
    }
    await former.expectUntouched();
  });

  test("does not keep a small dump from being restored afterwards", async () => {
    const { result } = await server.restore({
      database: "small",
      dump: Buffer.from(plainDump(rows(10))),
    });
    expect(result.result, result.text).toBe("restored");
  });
});

describe("an agent whose volume is full", () => {
  const full =
    /no space left for the agent's files in \/var\/lib\/stagecraft\S*: [\d.]+ k?B free on its volume; free some space/;
  const dump = Buffer.from(plainDump(rows(100_000)));
  const fill = async (): Promise<unknown> =>
    server.run(["sh", "-c", `dd if=/dev/zero of=${agentFiller} bs=64k`]);
  const found = async (...which: readonly string[]): Promise<string> =>
    (await server.run(["find", "/var/lib/stagecraft", "-type", "f", ...which])).stdout;

  afterEach(async () => {
    await server.run(["rm", "-f", agentFiller]);
    await former.expectUntouched();
  });

  test.each([
    ["a file", async () => server.file(dump)],
    [
      "a folder",
      async () => {
        await server.createDatabase(
          "source",
          "CREATE TABLE t AS SELECT md5(random()::text) FROM generate_series(1, 100000)",
        );
        const folder = await server.dumpFolder("source");
        await server.sql("postgres", "DROP DATABASE source");
        return folder;
      },
    ],
  ])("takes no dump, %s, and keeps nothing of it", async (_, dumpOf) => {
    const path = await dumpOf();
    await fill();
    expect(await server.receive(path, { database: "live" })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(full) as string,
    });
    expect(await found("-path", "*/dumps/*")).toBe("");
  });

  test("restores nothing, and does when there is room again", async () => {
    const path = await server.file(dump);
    const { sha256 } = await server.receive(path, { database: "live" });
    await fill();
    const request = { database: "live", source: { name: "some.sql", sha256 } };
    const { result } = await server.restoreReceived(request);
    expect(result).toMatchObject({ result: "failed", text: expect.stringMatching(full) as string });
    await former.expectUntouched();
    expect(await found("-name", "*.partial")).toBe("");
    await server.run(["rm", "-f", agentFiller]);
    expect((await server.restoreReceived(request)).result.result).toBe("restored");
    await server.sql(
      "postgres",
      "DROP DATABASE live; ALTER DATABASE live__previous RENAME TO live",
    );
  });
});

/** The process of the first session that is like this, as soon as there is one. */
async function untilThere(condition: string): Promise<string> {
  const sql = `SELECT pid FROM pg_stat_activity WHERE ${condition} AND pid <> pg_backend_pid() LIMIT 1`;
  return until(`a session with ${condition}`, async () => server.sql("postgres", sql));
}

async function archiveOf(sql: string): Promise<Buffer> {
  await server.createDatabase("source", sql);
  const archive = await server.dump("source", "-Fc");
  await server.sql("postgres", "DROP DATABASE source");
  return archive;
}
