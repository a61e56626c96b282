import { execa } from "execa";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";
import { shopCounts, shopCountsSql, shopSql } from "../../support/databases/shop";
import { checkout } from "../../support/files/checkout";

const server = useServer();

/** Without what differs from one run of pg_dump to the next. */
const comparable = (dump: Buffer): string =>
  dump.toString("utf8").replaceAll(/^\\(?:un)?restrict .*$/gm, "");

let original = "";
let plain: Buffer;

beforeAll(async () => {
  await server.createDatabase("source", shopSql);
  plain = await server.dump("source", "--clean", "--no-owner");
  original = comparable(await server.dump("source", "--no-owner", "--no-privileges"));
});

/** Restores a dump and compares all that is in the database with where the dump came from. */
async function expectSameAsSource(dump: Buffer | string, name: string): Promise<void> {
  const database = `of ${name}`;
  const { status, stderr, result } = await server.restore({ database, dump, name });
  expect(status, stderr).toBe(0);
  expect(result.result).toBe("restored");
  expect(result.verdict?.causes).toEqual([]);
  expect(comparable(await server.dump(database, "--no-owner", "--no-privileges"))).toBe(original);
  expect(await server.sql(database, shopCountsSql)).toBe(shopCounts);
  await server.expectNothingUnfinished();
  await server.sql("postgres", `DROP DATABASE "${database}"`);
}

describe("a plain dump is restored as it was", () => {
  test.each([
    ["gzip", ["gzip", "-c"], "dump.sql"],
    ["bzip2", ["bzip2", "-c"], "dump.gz"],
    ["zstd", ["zstd", "-c"], "dump.dump"],
    ["xz", ["xz", "-c"], "dump.tar"],
    ["lz4", ["lz4", "-c"], "dump"],
  ])("packed with %s, whatever its name says", async (_, program, name) => {
    const packed = await server.output(program, plain);
    expect(await server.output([program[0] ?? "", "-dc"], packed)).toEqual(plain);
    await expectSameAsSource(packed, name);
  });

  test("as pg_dump wrote it", async () => {
    await expectSameAsSource(plain, "dump.bz2");
  });

  test("with INSERT statements instead of COPY", async () => {
    await expectSameAsSource(await server.dump("source", "--inserts"), "inserts.sql");
    const many = await server.dump("source", "--rows-per-insert=7", "--column-inserts");
    await expectSameAsSource(many, "many rows per insert.sql");
  });

  test("with partitions loaded through their root", async () => {
    const dump = await server.dump("source", "--load-via-partition-root", "--if-exists", "--clean");
    await expectSameAsSource(dump, "root.sql");
  });

  test("with lines that end in carriage returns and newlines between its statements", async () => {
    const dump = await server.dump("source", "--schema-only");
    const crlf = Buffer.from(dump.toString("utf8").replaceAll("\n", "\r\n"));
    const { result } = await server.restore({ database: "crlf", dump: crlf });
    expect(result.verdict?.causes).toEqual([]);
  });
});

describe("an archive is restored as it was", () => {
  test.each([
    ["custom", ["-Fc"], "archive.sql"],
    ["custom without compression", ["-Fc", "-Z0"], "archive"],
    ["custom with zstd inside", ["-Fc", "-Zzstd"], "archive.gz"],
    ["custom, loaded through the partitions' root", ["-Fc", "--load-via-partition-root"], "root"],
    ["custom with INSERT statements", ["-Fc", "--inserts"], "inserts"],
    ["custom with the DROP part", ["-Fc", "--clean"], "clean"],
    ["custom with CREATE DATABASE in it", ["-Fc", "--create"], "create"],
    ["tar", ["-Ft"], "archive.dump"],
  ])("%s", async (_, args, name) => {
    await expectSameAsSource(await server.dump("source", ...args), name);
  });

  test.each([
    ["gzip", "-Fc"],
    ["xz", "-Ft"],
  ])("packed once more with %s (%s)", async (program, format) => {
    const archive = await server.dump("source", format);
    await expectSameAsSource(await server.output([program, "-c"], archive), "packed");
  });

  test.each(["gzip:1", "zstd", "lz4", "none"])("directory with %s", async (compression) => {
    await expectSameAsSource(
      await server.dumpFolder("source", `-Z${compression}`, "-j2"),
      "folder",
    );
  });
});

test("the agent and psql make the same database of the same dump", async () => {
  await server.sql("postgres", `CREATE DATABASE by_psql TEMPLATE template0`);
  await server.run(["psql", "-U", "postgres", "-q", "-d", "by_psql"], plain);
  await server.restore({ database: "by_agent", dump: plain });
  const args = ["--no-owner", "--no-privileges"];
  const [psql, agent] = [
    await server.dump("by_psql", ...args),
    await server.dump("by_agent", ...args),
  ];
  expect(comparable(agent)).toBe(comparable(psql));
});

test("all of a restored database belongs to its owner, large objects to the application, and statistics are there", async () => {
  await server.restore({ database: "Owned = 'it'", dump: await server.dump("source", "-Fc") });
  const others = `
    SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) <> 'Owned = ''it''_owner' AND relnamespace IN ('public'::regnamespace, 'stock'::regnamespace)
    UNION ALL SELECT count(*) FROM pg_proc p WHERE pg_get_userbyid(proowner) <> CASE WHEN EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') THEN 'postgres' ELSE 'Owned = ''it''_owner' END AND pronamespace IN ('public'::regnamespace, 'stock'::regnamespace)
    UNION ALL SELECT count(*) FROM pg_extension WHERE pg_get_userbyid(extowner) <> 'Owned = ''it''_owner' AND extname <> 'plpgsql'
    UNION ALL SELECT count(*) FROM pg_largeobject_metadata WHERE pg_get_userbyid(lomowner) <> 'Owned = ''it'''
    UNION ALL SELECT count(*) FROM pg_shdepend WHERE refobjid NOT IN (SELECT oid FROM pg_roles)
    UNION ALL SELECT reltuples FROM pg_class WHERE oid = 'public.customers'::regclass`;
  // Only a superuser may create pg_stat_statements, and so owns it and its two views.
  expect(await server.sql("Owned = 'it'", others)).toBe("2\n0\n1\n0\n0\n53");
  const owner =
    "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()";
  expect(await server.sql("Owned = 'it'", owner)).toBe("Owned = 'it'_owner");
});

describe("dumps of others", () => {
  test("the example's dump has the rows its expected.json tells", async () => {
    const folder = join(checkout, "examples/timesheets");
    const file = readdirSync(folder).find(
      (name) => name.endsWith(".sql") && name.startsWith("pg_dump."),
    );
    const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Record<
      string,
      number
    >;
    const { result } = await server.restore({
      database: "timesheets",
      dump: join(folder, file ?? ""),
    });
    expect(result.result, result.text).toBe("restored");
    await expectRows("timesheets", expected);
  });

  const shared = join(checkout, "../shared/data");
  const dumps = existsSync(shared)
    ? readdirSync(shared).filter((name) => name.startsWith("pg_dump."))
    : [];
  test.runIf(dumps.length > 0).each(dumps)("%s has all its rows", async (name) => {
    const dump = readFileSync(join(shared, name));
    const { result } = await server.restore({ database: "shared", dump, name });
    expect(result.result, result.text).toBe("restored");
    expect(result.verdict).toMatchObject({ causes: [], outcome: "passed with notes" });
    const rows = await execa("awk", [copyCounter, join(shared, name)]);
    const expected = rows.stdout.split("\n").map((line) => line.split("\t") as [string, string]);
    await expectRows(
      "shared",
      Object.fromEntries(expected.map(([table, n]) => [table, Number(n)])),
    );
  });
});

/** Counts rows of COPY blocks in another way than the agent does. */
const copyCounter = `/^COPY .* FROM stdin;$/ { t = $2; n = 0; next } t && /^\\\\\\.$/ { print t "\\t" n; t = ""; next } t { n++ }`;

async function expectRows(database: string, expected: Record<string, number>): Promise<void> {
  const tables = Object.keys(expected);
  const counts = tables.map((table) => `SELECT count(*) FROM ONLY ${table}`).join(" UNION ALL ");
  const found = (await server.sql(database, counts)).split("\n").map(Number);
  expect(Object.fromEntries(tables.map((table, i) => [table, found[i]]))).toEqual(expected);
}
