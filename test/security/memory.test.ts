import { beforeAll, describe, expect, test } from "vitest";
import { planMemory } from "../../model/stack-file/memory";
import { holdSession } from "../support/databases/held-session";
import { plainDump } from "../support/databases/shop";
import { useServer } from "../support/servers/server";

const plan = planMemory(2 ** 30);

/** As a stack makes it that says nothing of memory. What is in a volume in memory would count as PostgreSQL's. */
const server = useServer({
  dataSize: "disk",
  memory: `${plan.container}m`,
  settings: Object.entries(plan.parameters).map(([name, value]) => `${name}=${value}`),
});

const readonly = "of the reader";
const greed = async (sql: string): Promise<string> =>
  (
    await server.as(
      { user: "live_readonly", password: readonly, database: "live" },
      `SET statement_timeout = 0; ${sql}`,
    )
  ).stderr;

/** Of a server that goes through crash recovery, the first stays and the second is 0. */
const untouchedSql = "SELECT pg_postmaster_start_time(), count(*) FROM public.sessions";

/** Does something while somebody else is connected, who must not notice. */
async function unnoticed<T>(work: () => Promise<T>): Promise<T> {
  const before = await server.sql("live", untouchedSql);
  const session = await holdSession(server, "live", "SELECT 1");
  const result = await work();
  expect(await server.sql("live", untouchedSql)).toBe(before);
  const { stderr } = await session.release();
  expect(stderr).toMatch(/terminating connection due to administrator command/);
  return result;
}

beforeAll(async () => {
  expect(await server.makeRoles({ database: "live", readonly })).toMatchObject({ status: 0 });
  const dump = plainDump(`CREATE UNLOGGED TABLE public.sessions (id int);
    INSERT INTO public.sessions VALUES (1);
    CREATE TABLE public.wide (id int, note text);
    INSERT INTO public.wide SELECT n, repeat('x', 100) FROM generate_series(1, 300000) n;`);
  const { result } = await server.restore({ database: "live", dump: Buffer.from(dump) });
  expect(result.result, result.text).toBe("restored");
});

describe("a query of the read-only role that wants more memory than there is fails, and nobody else's session", () => {
  test.each([
    ["one value", "SELECT length(repeat('x', 1000000000))"],
    ["an aggregate", "SELECT array_length(array_agg(n), 1) FROM generate_series(1, 100000000) n"],
    [
      "a long text",
      "SELECT length(string_agg(repeat('x', 1000000), '')) FROM generate_series(1, 900)",
    ],
    [
      "a hash table",
      "SET work_mem = '2GB'; SET hash_mem_multiplier = 1000; SELECT count(*) FROM (SELECT DISTINCT n::text || repeat('y', 500) FROM generate_series(1, 5000000) n)",
    ],
    [
      "all parallel workers",
      `SET work_mem = '2GB'; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
       SET max_parallel_workers_per_gather = 100; SET max_parallel_workers = 100; SELECT length(string_agg(repeat(note, 20), '')) FROM public.wide`,
    ],
    [
      "a variable that grows",
      "DO $$ DECLARE a text[]; BEGIN LOOP a := a || repeat('z', 1000000); END LOOP; END $$",
    ],
  ])("%s", async (_, sql) => {
    expect(await unnoticed(() => greed(sql))).toMatch(/ERROR: {2}out of memory/);
  });

  test("three such queries at once", async () => {
    const sql =
      "SET max_parallel_workers_per_gather = 0; SELECT array_length(array_agg(n), 1) FROM generate_series(1, 100000000) n";
    const errors = await unnoticed(() => Promise.all([greed(sql), greed(sql), greed(sql)]));
    for (const error of errors) expect(error).toMatch(/ERROR: {2}out of memory/);
  });
});

test("a restore of a row that is too wide fails with the fix, and the live database goes on", async () => {
  const dump = plainDump(
    `CREATE TABLE public.t (note text);
     INSERT INTO public.t SELECT string_agg(repeat('x', 1000000), '') FROM generate_series(1, 900);`,
  );
  const { result, stderr } = await unnoticed(() =>
    server.restore({ database: "live", dump: Buffer.from(dump) }),
  );
  expect(result.result).toBe("failed");
  expect(stderr).toMatch(/53200 {2}out of memory[^]*increase postgres\.memory/);
});
