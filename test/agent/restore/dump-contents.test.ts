import { describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";
import { useLiveDatabase } from "../../support/databases/live-database";

const server = useServer();
const former = useLiveDatabase(server);

const rows = (table: string, ...lines: readonly string[]): string =>
  `COPY ${table} FROM stdin;\n${lines.map((line) => `${line}\n`).join("")}\\.\n`;
const refused = async (statements: string, text: RegExp): ReturnType<typeof former.expectRefused> =>
  former.expectRefused(Buffer.from(plainDump(statements)), "dump.sql", text);

describe("a dump that reaches beyond its own database is refused before anything is done", () => {
  const fix = /use a dump of one database, created with pg_dump/;

  test.each([
    [
      "CREATE TABLE public.t ();\n\\connect other",
      /connects to database other after it has created objects \(line 15: \\connect other\)/,
    ],
    ["CREATE DATABASE other;\n\\c live", /has several databases: other and live/],
    [
      "CREATE DATABASE other; CREATE DATABASE live;",
      /has several databases: other and live \(line 14: CREATE DATABASE live\)/,
    ],
    [
      "DROP DATABASE live; CREATE TABLE public.t ();",
      /drops database live and does not create it again/,
    ],
    ["DROP DATABASE live;", /drops database live and does not create it again/],
    ["ALTER DATABASE live RENAME TO dead;", /renames a database/],
    ["ALTER DATABASE live SET work_mem = '1 GB';", /alters a database/],
  ])("%s", async (statement, text) => {
    const { stderr } = await refused(statement, text);
    expect(stderr).toMatch(fix);
    expect(await server.databases()).toEqual(["live"]);
  });
});

describe("a command of psql is never executed", () => {
  const pwned = async (): Promise<string> =>
    (await server.run(["sh", "-c", "ls /tmp/pwned* 2>/dev/null; true"])).stdout;

  test("between statements the dump is refused with its line", async () => {
    await refused(
      "CREATE TABLE public.t (id int);\n\\! touch /tmp/pwned",
      /contains a psql command \(line 15: \\! touch \/tmp\/pwned\), which pg_dump does not write/,
    );
    await refused("SELECT 1 \\gexec\n;", /cause/);
    expect(await pwned()).toBe("");
  });

  test("in rows it is text", async () => {
    const lines = ["\\\\! touch /tmp/pwned", "x\\\\.", "\\\\copy t to /tmp/pwned"];
    const dump = plainDump(`CREATE TABLE public.t (note text);\n${rows("public.t", ...lines)}`);
    const { result } = await server.restore({ database: "text", dump: Buffer.from(dump) });
    expect(result.verdict).toMatchObject({ outcome: "passed", rows: [{ found: 3 }] });
    expect(await server.sql("text", "SELECT note FROM public.t LIMIT 1")).toBe(
      "\\! touch /tmp/pwned",
    );
    expect(await pwned()).toBe("");
  });

  test("behind rows of a table that was not made it is no statement either", async () => {
    const statements = `CREATE TABLE public.t (note nosuchtype);\n${rows("public.t", "\\! touch /tmp/pwned", "DROP TABLE public.u;", "\\connect other")}`;
    await refused(
      `CREATE TABLE public.u (id int);\n${statements}`,
      /42704 {2}type "nosuchtype" does not exist/,
    );
    expect(await pwned()).toBe("");
  });

  test("\\restrict, which pg_dump writes itself, is understood", async () => {
    const dump = plainDump("CREATE TABLE public.t (id int);")
      .replace("SET statement_timeout", "\\restrict aBc123\n\nSET statement_timeout")
      .replace(
        "--\n-- PostgreSQL database dump complete",
        "\\unrestrict aBc123\n\n--\n-- PostgreSQL database dump complete",
      );
    const { result } = await server.restore({ database: "restricted", dump: Buffer.from(dump) });
    expect(result.verdict?.causes).toEqual([]);
  });
});

describe("a broken row fails with table, line and column", () => {
  const numbers = "CREATE TABLE public.numbers (id int, n numeric);\n";

  test("too few columns", async () => {
    const text =
      /cause {5}22P04 {2}missing data for column "n" +COPY public\.numbers, line 2 \(line \d+ of the dump\)[^]*rows {6}public\.numbers 0 of 3[^]*fix {7}the row is damaged in the dump/;
    const { result } = await refused(numbers + rows("public.numbers", "1\t2", "3", "4\t5"), text);
    expect(result.verdict?.causes).toHaveLength(1);
  });

  test("a number that is none", async () => {
    await refused(
      numbers + rows("public.numbers", "1\t2", "2\tabc"),
      /22P02 {2}invalid input syntax for type numeric: "abc" +COPY public\.numbers, line 2, column n/,
    );
  });

  test("a statement that is damaged", async () => {
    await refused(
      "CREATE TABBLE public.t (id int);",
      /42601 {2}syntax error at or near "TABBLE" .*line 14[^]*the dump was edited or damaged/,
    );
  });

  test("in an archive", async () => {
    await server.createDatabase(
      "broken",
      `${numbers} INSERT INTO public.numbers VALUES (1, 1.5), (2, 2.5)`,
    );
    const archive = await server.dump("broken", "-Fc", "-Z0");
    const changed = Buffer.from(archive.toString("latin1").replace("2\t2.5", "2\tx.5"), "latin1");
    await former.expectRefused(
      changed,
      "broken.dump",
      /22P02 {2}invalid input syntax for type numeric: "x\.5" +COPY public\.numbers, line 2, column n/,
    );
    await server.sql("postgres", "DROP DATABASE broken");
  });
});

describe("causes are told apart from what follows from them", () => {
  test("a foreign key whose row is not in the dump", async () => {
    const statements = `CREATE TABLE public.a (id int PRIMARY KEY);\nCREATE TABLE public.b (a int);\n${rows("public.a", "1", "2")}${rows("public.b", "1", "3")}
ALTER TABLE ONLY public.b ADD CONSTRAINT b_a_fkey FOREIGN KEY (a) REFERENCES public.a(id);`;
    const { result, stderr } = await refused(
      statements,
      /23503 {2}insert or update on table "b" violates foreign key constraint "b_a_fkey"[^]*Key \(a\)=\(3\) is not present in table "a"/,
    );
    expect(stderr).toContain("referenced rows are missing in the dump");
    expect(result.verdict?.causes).toHaveLength(1);
  });

  test("a table whose rows are damaged, and the foreign keys to it", async () => {
    const statements = `CREATE TABLE public.a (id int PRIMARY KEY, n int);\nCREATE TABLE public.b (a int);\n${rows("public.a", "1\tx", "2\t2")}${rows("public.b", "1", "2")}
ALTER TABLE ONLY public.b ADD CONSTRAINT b_a_fkey FOREIGN KEY (a) REFERENCES public.a(id);`;
    const { result } = await refused(
      statements,
      /22P02 .*COPY public\.a, line 1, column n[^]*and 1 message that follows from it/,
    );
    expect(result.verdict?.causes).toMatchObject([{ consequences: 1 }]);
  });

  test("a table that could not be made: its rows are not taken for SQL, all else is folded", async () => {
    const statements = `CREATE TABLE public.ok (id int);
CREATE TABLE public.t (id int, "when" nosuchtype);
${rows("public.t", "1;\tDROP TABLE public.ok;", "2\t'")}${rows("public.ok", "1")}
ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);
CREATE INDEX t_when ON public.t USING btree ("when");
CREATE VIEW public.v AS SELECT id FROM public.t;
COMMENT ON VIEW public.v IS 'follows';
COMMENT ON TABLE public.t IS 'follows';
GRANT SELECT ON TABLE public.v TO app;
ALTER TABLE ONLY public.ok ADD CONSTRAINT ok_fkey FOREIGN KEY (id) REFERENCES public.t(id);`;
    const { result } = await refused(
      statements,
      /42704 {2}type "nosuchtype" does not exist {3}TABLE public\.t[^]*and 8 messages that follow from it[^]*public\.t is missing; the other 1 table is complete/,
    );
    expect(result.verdict?.causes).toMatchObject([{ consequences: 8 }]);
  });

  test("a missing extension and what needs it", async () => {
    const statements = `CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public;
CREATE TABLE public.places (id int, at public.geometry(Point, 4326));
${rows("public.places", "1\t0101")}`;
    const { result, stderr } = await refused(
      statements,
      /0A000 {2}extension "postgis" is not available/,
    );
    expect(stderr).toContain("install the package of extension postgis into the server image");
    expect(result.verdict?.causes).toMatchObject([{ consequences: 2 }]);
  });
});
