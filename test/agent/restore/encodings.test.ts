import { describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";
import { useLiveDatabase } from "../../support/databases/live-database";

const server = useServer();
const former = useLiveDatabase(server);

const cafeSql = `CREATE TABLE public."café" (name text); INSERT INTO public."café" VALUES ('crème brûlée'), ('né');`;
const factsSql = `SELECT pg_encoding_to_char(encoding), datlocprovider, coalesce(datlocale, datcollate) FROM pg_database WHERE datname = current_database()`;
const namesSql = `SELECT name FROM public."café" ORDER BY 1 DESC LIMIT 1`;

describe("a dump in LATIN1 makes a database in LATIN1 with the right text", () => {
  const latin1 = async (): Promise<void> => {
    if ((await server.databases()).includes("latin1")) return;
    await server.createDatabase(
      "latin1",
      `SET client_encoding = 'UTF8'; ${cafeSql}`,
      "ENCODING 'LATIN1' LOCALE 'de_DE.ISO-8859-1'",
    );
  };

  test.each([
    ["plain", [], "C"],
    ["custom", ["-Fc"], "de_DE.ISO-8859-1"],
  ])("%s", async (format, args, locale) => {
    await latin1();
    const dump = await server.dump("latin1", ...args);
    expect(dump.includes(Buffer.from("caf\xe9", "latin1"))).toBe(true);
    const { result } = await server.restore({ database: format, dump });
    expect(result.result, result.text).toBe("restored");
    expect(result.verdict?.rows).toMatchObject([{ table: "public.café", found: 2 }]);
    expect(await server.sql(format, `SET client_encoding = 'UTF8'; ${factsSql}; ${namesSql}`)).toBe(
      `LATIN1|c|${locale}\nné`,
    );
  });

  test("and what failed is named with the right letters", async () => {
    const statements = 'ALTER TABLE public."café" ADD COLUMN x integer;';
    const dump = Buffer.from(plainDump(statements, "LATIN1"), "latin1");
    await former.expectRefused(
      dump,
      "cafe.sql",
      /42P01 {2}relation "public\.café" does not exist .* TABLE public\."café" \(line 14 of the dump\)/,
    );
  });

  test("and the roles it names are made with the right letters", async () => {
    const statements = `CREATE TABLE public.t (id int);
GRANT SELECT ON TABLE public.t TO "müller";
CREATE POLICY p ON public.t TO "groß" USING (true);`;
    const dump = Buffer.from(plainDump(statements, "LATIN1"), "latin1");
    const { result, stderr } = await server.restore({
      database: "named",
      dump,
      roles: "create without login",
    });
    expect(result.result, stderr).toBe("restored");
    expect(result.verdict?.roles.map(({ role }) => role).sort()).toEqual(["groß", "müller"]);
    const made =
      "SELECT polroles[1]::regrole, has_table_privilege('müller', 't', 'SELECT') FROM pg_policy";
    expect(await server.sql("named", `SET client_encoding = 'UTF8'; ${made}`)).toBe('"groß"|t');
  });
});

describe("a dump in SQL_ASCII", () => {
  const rows =
    "CREATE TABLE public.notes (note text);\nCOPY public.notes (note) FROM stdin;\nplain\ncr\xe8me\n\\.\n";
  const dump = Buffer.from(plainDump(rows, "SQL_ASCII"), "latin1");

  test("fails on bytes that are no UTF-8 with table, line and the fix", async () => {
    const text =
      /cause {5}22021 {2}invalid byte sequence for encoding "UTF8": 0xe8 .*COPY public\.notes, line 2/;
    const { stderr } = await former.expectRefused(dump, "ascii.sql", text);
    expect(stderr).toContain(
      'set database.encoding to the actual encoding of its text, e.g. "LATIN1"',
    );
  });

  test("is converted with the encoding that the settings tell", async () => {
    const { result } = await server.restore({ database: "ascii", dump, encoding: "LATIN1" });
    expect(result.verdict).toMatchObject({
      causes: [],
      rows: [{ table: "public.notes", found: 2 }],
    });
    const note = "SELECT note FROM public.notes WHERE note <> 'plain'";
    expect(await server.sql("ascii", `${factsSql}; ${note}`)).toBe("UTF8|c|C.UTF-8\ncrème");
  });

  test("is converted as an archive too", async () => {
    await server.createDatabase(
      "ascii_source",
      "CREATE TABLE public.notes (note text)",
      "ENCODING 'SQL_ASCII' LOCALE 'C'",
    );
    await server.sql("ascii_source", String.raw`INSERT INTO public.notes VALUES (E'cr\xe8me')`);
    const archive = await server.dump("ascii_source", "-Fc");
    await former.expectRefused(
      archive,
      "ascii.dump",
      /22021 {2}invalid byte sequence for encoding "UTF8": 0xe8/,
    );
    const { result } = await server.restore({
      database: "ascii_custom",
      dump: archive,
      encoding: "LATIN1",
    });
    expect(result.result, result.text).toBe("restored");
    expect(await server.sql("ascii_custom", "SELECT note FROM public.notes")).toBe("crème");
  });
});

describe("a wrong encoding is refused", () => {
  test("one that PostgreSQL does not know", async () => {
    const dump = Buffer.from(plainDump("SELECT 1;", "KLINGON"));
    await former.expectRefused(
      dump,
      "odd.sql",
      /the client_encoding of odd\.sql, "KLINGON", is not a server encoding of PostgreSQL; set database\.encoding/,
    );
  });

  test("one in the settings, even when it looks like one", async () => {
    const dump = Buffer.from(plainDump("SELECT 1;", "SQL_ASCII"));
    await former.expectRefused(dump, "a.sql", /database\.encoding, "LATIN99"/, {
      encoding: "LATIN99",
    });
    await former.expectRefused(dump, "a.sql", /cause/, { encoding: "LATIN1'; DROP ROLE app; --" });
  });

  test("one in the settings that contradicts the dump", async () => {
    const dump = Buffer.from(plainDump("SELECT 1;"));
    await former.expectRefused(
      dump,
      "utf8.sql",
      /utf8\.sql is in UTF8, but database\.encoding is LATIN1; remove database\.encoding/,
      { encoding: "LATIN1" },
    );
  });
});

describe("the locale of an archive is kept", () => {
  test.each([
    ["icu", "LOCALE_PROVIDER icu ICU_LOCALE 'de-AT'", "UTF8|i|de-AT"],
    ["builtin", "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'", "UTF8|b|C.UTF-8"],
    ["libc", "LOCALE 'fr_FR.UTF-8'", "UTF8|c|fr_FR.UTF-8"],
  ])("%s", async (name, options, facts) => {
    await server.createDatabase(`${name}_source`, "CREATE TABLE public.t (id int)", options);
    const { result } = await server.restore({
      database: name,
      dump: await server.dump(`${name}_source`, "-Fc"),
    });
    expect(result.result, result.text).toBe("restored");
    expect(await server.sql(name, factsSql)).toBe(facts);
  });

  test("unless the server lacks it: then it has the default one, or that of the settings", async () => {
    const archive = await server.dump("libc_source", "-Fc", "-Z0");
    const klingon = Buffer.from(
      archive.toString("latin1").replaceAll("fr_FR.UTF-8", "tl_QO.UTF-8"),
      "latin1",
    );
    const lacking = await server.restore({ database: "lacking", dump: klingon });
    expect(lacking.result.text).toMatch(
      /passed with notes: .*locale tl_QO\.UTF-8 of the dump does not exist on this server: its default is used/,
    );
    const { result } = await server.restore({
      database: "klingon",
      dump: klingon,
      locale: "C.UTF-8",
    });
    expect(result.result, result.text).toBe("restored");
    expect(await server.sql("klingon", factsSql)).toBe("UTF8|c|C.UTF-8");
  });

  test("and the settings decide for a plain dump, which tells none", async () => {
    const dump = Buffer.from(plainDump("CREATE TABLE public.t (id int);"));
    await server.restore({ database: "chosen", dump, locale: "sv_SE.UTF-8" });
    expect(await server.sql("chosen", factsSql)).toBe("UTF8|c|sv_SE.UTF-8");
    await former.expectRefused(dump, "a.sql", /xx_XX.*database\.locale/s, { locale: "xx_XX" });
  });
});
