import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { plainDump } from "../../support/databases/shop";
import { checkout } from "../../support/files/checkout";
import { useServer } from "../../support/servers/server";

const server = useServer();
const folder = join(checkout, "test/support/cases/restore");

/** Restores statements as a dump, in a database of their own. */
const restore = async (statements: string, more = {}): ReturnType<typeof server.restore> =>
  server.restore({ database: "text", dump: Buffer.from(plainDump(statements)), ...more });

describe("a bare name means what PostgreSQL finds in the search path at that moment", () => {
  const rows = (table: string): string => `INSERT INTO ${table} VALUES (1), (2);\n`;

  test.each([
    ["the second schema of the path", 'SET search_path = "none", b, a;'],
    ["the function set_config", "SELECT set_config('search_path', 'b,a', false);"],
    ["any spelling", "set\n  SESSION Search_Path\tTO 'b', a;"],
  ])("by %s", async (_, path) => {
    const tables = "CREATE SCHEMA a; CREATE SCHEMA b;\nCREATE TABLE a.t (id int);\n";
    const { result } = await restore(
      `${tables}${path}\n${rows("t")}CREATE TABLE t (id int);\n${rows("T")}`,
    );
    expect(result.result, result.text).toBe("restored");
    const tablesOf = result.verdict?.rows.map(({ table, found }) => `${table} ${found ?? ""}`);
    expect(tablesOf).toEqual(["a.t 2", "b.t 2"]);
  });

  test("in the encoding of the dump", async () => {
    const text =
      "SET client_encoding = 'LATIN1';\nCREATE TABLE \"größe's\" (id int);\nINSERT INTO \"größe's\" VALUES (1);\n";
    const dump = Buffer.from(
      plainDump("")
        .replace("SET client_encoding = 'UTF8';\n", "")
        .replace(
          "--\n-- PostgreSQL database dump complete",
          `RESET search_path;\n${text}--\n-- PostgreSQL database dump complete`,
        ),
      "latin1",
    );
    const { result } = await server.restore({ database: "text", dump });
    expect(result.result, result.text).toBe("restored");
    expect(result.verdict?.rows).toEqual([{ table: "public.größe's", expected: 1, found: 1 }]);
  });
});

describe("rows that do not arrive are missed", () => {
  const table = "CREATE TABLE public.t (id int PRIMARY KEY);\n";
  const trigger = `CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER f BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.f();\n`;
  const rule = "CREATE RULE r AS ON INSERT TO public.t WHERE new.id > 1 DO INSTEAD NOTHING;\n";

  test.each([
    [
      "by a trigger",
      trigger + "INSERT INTO public.t (id) VALUES (1), (2);\nINSERT INTO public.t VALUES (3);\n",
      "0 of 3",
    ],
    [
      "by a rule",
      rule + "INSERT INTO public.t OVERRIDING SYSTEM VALUE VALUES (1), (2);\n",
      "1 of 2",
    ],
  ])("in INSERT statements %s", async (_, statements, rows) => {
    const { result } = await restore(table + statements);
    expect(result.result).toBe("failed");
    expect(result.text).toContain(`public.t ${rows}`);
  });

  test("and each of the tables is in the log", async () => {
    const names = Array.from({ length: 8 }, (_, i) => `t${i}`);
    const statements = names.map(
      (name) =>
        `CREATE TABLE public.${name} (id int);\nCREATE RULE r AS ON INSERT TO public.${name} DO INSTEAD NOTHING;\nINSERT INTO public.${name} VALUES (1);\n`,
    );
    const { result } = await restore(statements.join(""));
    expect(result.text).toContain("and 5 further causes");
    const log = await server.agent(["log", result.log ?? ""]);
    for (const name of names)
      expect(log.stdout).toMatch(
        new RegExp(`^cause +check .*table public\\.${name} has 0 rows`, "m"),
      );
  });
});

describe("a dump that creates its database", () => {
  test("is restored into another one", async () => {
    await server.createDatabase(
      "born here",
      "CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1)",
    );
    const dump = await server.dump("born here", "-C", "--clean", "--if-exists");
    const { result } = await server.restore({ database: "text", dump });
    expect(result.result, result.text).toBe("restored");
    expect(await server.sql("text", "SELECT count(*) FROM public.t")).toBe("1");
    expect(await server.databases()).toContain("born here");
  });

  test("of several is refused, by their names", async () => {
    const { result } = await restore(
      'CREATE DATABASE a;\n\\connect a\nCREATE TABLE public.t (id int);\n\\connect "b c"\n',
    );
    expect(result.text).toMatch(
      /has several databases: a and b c \(line 17: \\connect "b c"\); use a dump of one database/,
    );
  });

  test("among those of a cluster is restored alone", async () => {
    const all = await server.output(["pg_dumpall", "-U", "postgres", "--no-role-passwords"]);
    const more = { database: "text", dump: all, name: "all.sql" };
    const offered = await server.restore(more);
    expect(offered.result.text).toMatch(
      /is a dump of a whole cluster \(pg_dumpall\) with databases .*born here.*; set data\.database to the one to restore/,
    );
    const source = { name: "all.sql", sha256: offered.result.source.sha256, database: "born here" };
    const { result } = await server.restoreReceived({ database: "text", source });
    expect(result.result, result.text).toBe("restored");
    expect(await server.sql("text", "SELECT count(*) FROM public.t")).toBe("1");
    expect(await server.sql("text", "SELECT to_regclass('public.kettle') IS NULL")).toBe("t");
  });
});

test("a schema that is created with its owner belongs to the database's owner", async () => {
  const { result } = await restore(
    'CREATE SCHEMA a AUTHORIZATION nobody_here;\nCREATE SCHEMA AUTHORIZATION "Nobody";\nCREATE TABLE a.t (id int);\n',
  );
  expect(result.result, result.text).toBe("restored");
  expect(result.text).toMatch(/role nobody_here: 1 object restored without owner/);
  const owners = `SELECT string_agg(nspname || ' ' || pg_get_userbyid(nspowner), ', ' ORDER BY 1) FROM pg_namespace WHERE nspname IN ('a', 'Nobody')`;
  expect(await server.sql("text", owners)).toBe("Nobody text_owner, a text_owner");
});

test("production takes no dump without rows unless it is told to", async () => {
  const request = { kind: "production", mode: "when missing", database: "produced" } as const;
  const dump = readFileSync(join(folder, "pre-data.sql"));
  const { result } = await server.restore({ ...request, dump, name: "pre.sql" });
  expect(result.text).toMatch(
    /pre\.sql has no rows, keys or indexes.*production would start empty; use a dump with rows, or set data\.acceptSchemaOnly: true/,
  );
  const accepted = await server.restore({
    ...request,
    dump,
    name: "pre.sql",
    acceptSchemaOnly: true,
  });
  expect(accepted.result.result, accepted.result.text).toBe("restored");
});

describe("packed files", () => {
  const whole = (): Buffer =>
    Buffer.from(plainDump("CREATE TABLE public.t (id int);\nINSERT INTO public.t VALUES (1);\n"));

  test.each([
    ["lz4's legacy format", ["lz4", "-l", "-c"]],
    ["several processors", ["pzstd", "-p", "2", "-c"]],
  ])("by %s are unpacked", async (_, program) => {
    const dump = await server.output(program, whole());
    const { result } = await server.restore({ database: "text", dump });
    expect(result.result, result.text).toBe("restored");
  });

  test.each(["gzip", "bzip2", "zstd", "xz"])(
    "of %s, one behind the other, are read to the end",
    async (program) => {
      const [first, second] = [
        await server.output([program, "-c"], whole()),
        await server.output([program, "-c"], Buffer.from("INSERT INTO public.t VALUES (2);\n")),
      ];
      const { result } = await server.restore({
        database: "text",
        dump: Buffer.concat([first, second]),
      });
      expect(result.result, result.text).toBe("restored");
      expect(await server.sql("text", "SELECT count(*) FROM public.t")).toBe("2");
      for (const length of [2, second.length - 3]) {
        const cut = Buffer.concat([first, second.subarray(0, length)]);
        const said = await server.restore({ database: "text", dump: cut, name: "cut" });
        expect(said.result.text).toMatch(/cut is damaged or truncated: .*; copy or dump it again/);
      }
    },
  );
});
