import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { plainDump } from "../../support/databases/shop";
import { checkout } from "../../support/files/checkout";
import { useServer } from "../../support/servers/server";

const server = useServer();
const folder = join(checkout, "test/support/dump-files");

/** What has to become of a file. */
interface Right {
  readonly result: "restored" | "failed";
  /** What the operator reads. */
  readonly text: RegExp;
  /** A query, and its rows: what psql or pg_restore makes of the file. */
  readonly query?: readonly [sql: string, rows: string];
  /** The number of causes in the verdict; none where there is no verdict. */
  readonly causes?: number;
}

const restored = (text: RegExp, query?: Right["query"]): Right => ({
  ...{ result: "restored", text },
  ...(query && { query }),
});
const failed = (text: RegExp, causes?: number): Right => ({
  ...{ result: "failed", text },
  ...(causes !== undefined && { causes }),
});

const kettles = "SELECT id, label FROM public.kettle ORDER BY id";
const shop = `SELECT (SELECT count(*) FROM customers) AS c, (SELECT count(*) FROM orders) AS o`;

const rights: Readonly<Record<string, Right>> = {
  "no-search-path.sql": restored(/passed$/, [kettles, "1|copper\n2|tin\n3|iron"]),
  "search-path-to.sql": restored(/passed$/, [kettles, "1|copper\n2|tin"]),
  "search-path-lower-case.sql": restored(/passed$/, [kettles, "1|copper"]),
  "appended-versions.sql": restored(/passed with notes: no rows, keys or indexes/, [
    "SELECT count(*) FROM public.migration_marks",
    "80",
  ]),
  "header-stripped.sql": restored(/no rows, keys or indexes/),
  "keyword.sql": failed(
    /cause {5}42601[^]*a name in this statement became a keyword between PostgreSQL 10 and 17; dump again with pg_dump --quote-all-identifiers/,
    1,
  ),
  "removed-extension.sql": failed(
    /cause {5}0A000 {2}extension "adminpack" is not available[^]*no extension adminpack since version 17, so leave it out: DROP EXTENSION adminpack/,
    1,
  ),
  "data-only.sql": failed(
    /cause {5}data-only\.sql has no tables, only rows \(the first are of public\.pot_1, line 9\)[^]*dump the tables too, without --data-only/,
  ),
  "windows-locale.sql": restored(
    /locale German_Germany\.1252 of the dump does not exist on this server: its default is used/,
    ["SELECT count(*) FROM public.kettle", "0"],
  ),
  "newer-archive.dump": restored(/./, ["SELECT count(*) FROM public.kettle", "2"]),
  "archive-of-18.dump": failed(
    /42601 {2}syntax error at or near "WITHOUT"[^]*the dump is from PostgreSQL 18, and this server's 17 does not know everything in it/,
    1,
  ),
  "archive-of-9.6.dump": restored(/./, ["SELECT count(*) FROM app.t", "2"]),
  "second-dump-cut.sql.gz": failed(
    /is truncated: 2 dumps begin in it \(lines 2, 89\), and not each of them has its closing line/,
  ),
  "no-post-data.sql.gz": failed(
    /the tables in one dump and their rows in another, but nothing that comes after the rows: keys, indexes, triggers; append pg_dump --section=post-data/,
  ),
  "rows-behind-triggers.sql": failed(
    /table public\.quiet has 3 rows in the database, 6 in the dump[^]*rows {6}public\.quiet 3 of 6[^]*fix {7}a trigger or rule of the table was created before its rows/,
    1,
  ),
  "long-owner-statement.sql": restored(/role postgres: 2 objects restored without owner/, [
    "SELECT count(*) FROM pg_proc WHERE pg_get_userbyid(proowner) = current_database() || '_owner'",
    "1",
  ]),
  "pre-data.sql": restored(/no rows, keys or indexes: the dump has the tables only/),
  "long-window.sql.zst": restored(/./, [shop, "10|50"]),
  "skippable-frame.sql.zst": restored(/./, [shop, "10|50"]),
  "folder-in-tar.tgz": failed(
    /is a tar with the folder of a dump by pg_dump -F d \(shopdir\) in it[^]*unpack it \(tar -xf folder-in-tar\.tgz\) and set data\.dump to shopdir/,
  ),
  "file-in-tar.tar.gz": failed(
    /is a tar with shop\.sql in it[^]*unpack it \(tar -xf file-in-tar\.tar\.gz\) and set data\.dump to shop\.sql/,
  ),
};

describe("each file of the folder becomes what psql or pg_restore makes of it, or says why not", () => {
  test("and none is left out", () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(rights).sort());
  });

  test.each(Object.entries(rights))("%s", async (name, { result, text, query, causes }) => {
    const said = await server.restore({ database: "files", dump: join(folder, name), name });
    expect(said.result.result, said.result.text).toBe(result);
    expect(said.result.text).toMatch(text);
    if (causes !== undefined) expect(said.result.verdict?.causes).toHaveLength(causes);
    if (query) expect(await server.sql("files", query[0])).toBe(query[1]);
    if (result === "restored") expect(said.result.verdict?.causes).toEqual([]);
  });
});

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
