import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { verificationName } from "../../model/base/names";
import { backUpWell, rowsIn, schedule } from "../support/backups/agent-backups";
import { useServer } from "../support/servers/server";
import { verifyBackup } from "../support/backups/dumped-backup";
import { atMost } from "../support/time/limit.mjs";

// Room for 500 databases, in memory: a disk would take longer to write them than PostgreSQL to dump them.
const server = useServer({ archiveSize: "4500m", memory: "6g" });

test("a database with 20,000 tables is backed up, and every one is counted", async () => {
  await server.sql("postgres", "CREATE DATABASE wide TEMPLATE template0 STRATEGY file_copy");
  await server.sql(
    "wide",
    `DO $$ BEGIN FOR i IN 1..20000 LOOP EXECUTE format('CREATE TABLE t%s (i int)', i); IF i % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$;
     INSERT INTO t7 VALUES (1); INSERT INTO t19999 VALUES (1), (2)`,
  );
  await schedule(server, { wide: { databases: ["wide"] } });
  const manifest = await backUpWell(server, "wide");
  const tables = manifest.databases[0]?.tables ?? [];
  expect(tables).toHaveLength(20_000);
  expect(tables.filter(({ rows }) => rows > 0).map(({ name, rows }) => [name, rows])).toEqual([
    ["t19999", 2],
    ["t7", 1],
  ]);
});

test("500 databases are in one backup, and 100 in one that is verified: a few at a time, none slower than the first", async () => {
  const names = Array.from({ length: 500 }, (_, i) => `many ${String(i).padStart(3, "0")}`);
  const tablespace = "many";
  const place = `/var/lib/pgbackrest/${tablespace}`;
  await server.output(["mkdir", "-m", "0700", place]);
  await server.sql("postgres", `CREATE TABLESPACE ${tablespace} LOCATION '${place}'`);
  await server.createDatabase("tiny", "CREATE TABLE t AS SELECT generate_series(1, 3) i");
  const all = (sql: (name: string) => string): string =>
    names.map((name) => sql(`"${name}"`)).join(";");
  await server.sql(
    "postgres",
    all(
      (name) => `CREATE DATABASE ${name} TEMPLATE tiny STRATEGY file_copy TABLESPACE ${tablespace}`,
    ),
  );
  await server.sql("many 499", "INSERT INTO t VALUES (4)");
  const verified = names.slice(400);
  await schedule(server, { many: { databases: names }, some: { databases: verified } });

  /** The most sessions of these databases, and the most copies that are checked, while the work goes on. */
  const watch = async <T>(work: Promise<T>): Promise<{ done: T; most: [number, number] }> => {
    let most: [number, number] = [0, 0];
    let isDone = false as boolean;
    void work.finally(() => (isDone = true)).catch(() => undefined);
    while (!isDone) {
      const open = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'many %'";
      const sessions = Number(await server.sql("postgres", open));
      const checked = `SELECT count(*) FROM pg_database WHERE datname LIKE '${verificationName("many %")}'`;
      const copies = Number(await server.scratchSql(checked));
      most = [Math.max(most[0], sessions), Math.max(most[1], copies)];
      await sleep(200);
    }
    return { done: await work, most };
  };
  const atATime = availableParallelism();
  const { done: manifest, most: dumping } = await watch(backUpWell(server, "many"));
  expect(dumping[0]).toBeGreaterThan(0);
  expect(dumping[0]).toBeLessThanOrEqual(16);
  expect(manifest.databases.map(({ name }) => name)).toEqual(names);
  for (const name of names)
    expect(rowsIn(manifest, name)).toEqual([`public.t|${name === "many 499" ? 4 : 3}`]);
  const secondsOf = (from: number): number =>
    manifest.databases.slice(from, from + 100).reduce((sum, { seconds }) => sum + seconds, 0);
  expect(secondsOf(400)).toBeLessThan(3 * secondsOf(0) + atMost(5));

  const { id } = await backUpWell(server, "some");
  const { done: verification, most: checking } = await watch(verifyBackup(server, id));
  expect(verification.result?.verification, verification.stderr).toMatchObject({
    result: "passed",
    text: "restored 100 databases: 100 tables with 301 rows, as in the manifest",
  });
  expect(verification.result?.logs.length).toBe(verified.length);
  expect(checking[1]).toBe(atATime);
  await server.expectNothingUnfinished();
});
