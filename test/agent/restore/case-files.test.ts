import { readdirSync, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Upgrades } from "../../../model/upgrades/protocol";
import { contentsOf, referenceContents } from "../../support/cases/reference";
import { checkout } from "../../support/files/checkout";
import { useServer } from "../../support/servers/server";

const server = useServer();
const folder = join(checkout, "test/support/cases/restore");

/** What has to become of a file. */
interface Right {
  readonly result: "restored" | "failed";
  /** What the operator reads. */
  readonly text: RegExp;
  /** A query, and its rows. */
  readonly query?: readonly [sql: string, rows: string];
  /** The number of causes in the verdict; none where there is no verdict. */
  readonly causes?: number;
  /** Why what psql or pg_restore makes of the file is not compared. */
  readonly unlikeReference?: string;
}

const restored = (text: RegExp, query?: Right["query"], unlikeReference?: string): Right => ({
  ...{ result: "restored", text },
  ...(query && { query }),
  ...(unlikeReference !== undefined && { unlikeReference }),
});
const failed = (text: RegExp, causes?: number): Right => ({
  ...{ result: "failed", text },
  ...(causes !== undefined && { causes }),
});

const kettles = "SELECT id, label FROM public.kettle ORDER BY id";
const shop = "SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM orders)";
const withoutRows = /passed with notes: no rows, keys or indexes: the dump has the tables only/;
const otherTablespace = /tablespaces or access methods that do not exist on this server/;
const largeObjects = restored(
  /role lo_owner: 1 object restored without owner.*role lo_reader: 2 grants left out/,
  [
    "SELECT string_agg(convert_from(lo_get(o), 'UTF8'), ',' ORDER BY o) FROM r",
    "lo 1,lo 2,lo 3,lo 4,lo 5",
  ],
  "pg_dump groups large objects by their grants",
);
const eventTriggers = restored(
  /passed with notes: role postgres: 6 objects restored without owner$/,
  [
    `SELECT (SELECT string_agg(evtname || ' ' || evtenabled::text, ', ' ORDER BY 1) FROM pg_event_trigger),
     (SELECT count(*) FROM ddl_log), (SELECT count(*) FROM t)`,
    "audit_ddl O, no_ddl O|2|20",
  ],
);

const rights: Readonly<Record<string, Right>> = {
  "no-search-path.sql": restored(/passed$/, [kettles, "1|copper\n2|tin\n3|iron"]),
  "search-path-to.sql": restored(/passed$/, [kettles, "1|copper\n2|tin"]),
  "search-path-lower-case.sql": restored(/passed$/, [kettles, "1|copper"]),
  "many-bare-names.sql": restored(/passed$/, [
    "SELECT count(*) FROM (TABLE pan_1 UNION ALL TABLE pan_2 UNION ALL TABLE pan_7 UNION ALL TABLE pan_8) AS pans",
    "4",
  ]),
  "appended-versions.sql": restored(/passed with notes: no rows, keys or indexes/, [
    "SELECT count(*) FROM public.migration_marks",
    "80",
  ]),
  "migrations-behind-the-end.sql": restored(
    /passed with notes: role postgres: 3 objects restored without owner$/,
    [shop, "10|50"],
  ),
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
    "psql creates no database with that locale, and then ends",
  ),
  "newer-archive.dump": restored(/passed/, ["SELECT count(*) FROM public.kettle", "2"]),
  "archive-of-18.dump": failed(
    /42601 {2}syntax error at or near "WITHOUT"[^]*the dump is from PostgreSQL 18, and this server's 17 does not know everything in it/,
    1,
  ),
  "archive-of-9.6.dump": restored(/passed/, ["SELECT count(*) FROM app.t", "2"]),
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
  "pre-data.sql": restored(withoutRows),
  "long-window.sql.zst": restored(/passed/, [shop, "10|50"]),
  "skippable-frame.sql.zst": restored(/passed/, [shop, "10|50"]),
  "folder-in-tar.tgz": failed(
    /is a tar with the folder of a dump by pg_dump -F d \(shopdir\) in it[^]*unpack it \(tar -xf folder-in-tar\.tgz\) and set data\.dump to shopdir/,
  ),
  "file-in-tar.tar.gz": failed(
    /is a tar with shop\.sql in it[^]*unpack it \(tar -xf file-in-tar\.tar\.gz\) and set data\.dump to shop\.sql/,
  ),
  "dots-in-names.sql": restored(/passed/, [
    `SELECT (SELECT count(*) FROM x."a.b"), (SELECT count(*) FROM "x.a".b)`,
    "1|3",
  ]),
  "enum-hash-partitions.sql": restored(
    /passed/,
    ["SELECT count(*), count(*) FILTER (WHERE tableoid = 'ev_25'::regclass) FROM ev", "400|213"],
    "which partition of an enum's hash a row belongs to differs from one database to another",
  ),
  "event-triggers.sql": eventTriggers,
  "event-triggers.dump": eventTriggers,
  "foreign-partition.sql": restored(
    /foreign tables that read files of the server \(file_fdw\) were left out.*partitions of public\.ev that are foreign tables were not counted/,
    ["SELECT count(*) FROM ONLY ev_hot", "1"],
    "a table that reads files of the server was left out",
  ),
  "tablespaces.sql": restored(otherTablespace, ["SELECT count(*) FROM t", "1"]),
  "tablespaces.dump": restored(otherTablespace, ["SELECT count(*) FROM t", "1"]),
  "large-objects.sql": largeObjects,
  "large-objects.dump": largeObjects,
  "security-label.sql": restored(/security labels whose provider is not loaded/, [shop, "10|50"]),
  "subscription.sql": restored(
    /subscription s_main is disabled and has no slot here/,
    [
      `SELECT subenabled, subslotname IS NULL, (SELECT count(*) FROM t) FROM pg_subscription
       WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      "f|t|2",
    ],
    "the subscription of a copy has no slot",
  ),
  "subscription-and-error.sql": failed(/division by zero/, 1),
  "database-settings.dump": restored(/passed/, [
    `SELECT string_agg(s, ' ' ORDER BY s) FROM pg_db_role_setting, unnest(setconfig) AS s
     WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s NOT LIKE 'stagecraft.%'`,
    "TimeZone=Europe/Berlin app.mode=x search_path=app, public",
  ]),
};

describe("each file of the folder becomes what psql or pg_restore makes of it, or says why not", () => {
  test("and none is left out", () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(rights).sort());
  });

  // All into one database: so each also shows that the one before it stands in no refresh's way.
  test.each(Object.entries(rights))("%s", async (name, right) => {
    const isCompared = right.result === "restored" && right.unlikeReference === undefined;
    const [said, reference] = await Promise.all([
      server.restore({ database: "files", dump: join(folder, name), name }),
      isCompared ? referenceContents(server, readFileSync(join(folder, name))) : undefined,
    ]);
    const { result, text, verdict } = said.result;
    expect(result, text).toBe(right.result);
    expect(text).toMatch(right.text);
    const causes = verdict?.causes ?? [];
    if (right.causes !== undefined) expect(causes).toHaveLength(right.causes);
    if (right.query) expect(await server.sql("files", right.query[0])).toBe(right.query[1]);
    if (reference !== undefined) expect(await contentsOf(server, "files")).toBe(reference);
    if (result === "restored") expect(causes).toEqual([]);
    else expect(text).toMatch(/\n {2}fix {7}\S|; [a-z]/);
    const log = causes.length > 0 ? await server.agent(["log", said.result.log ?? ""]) : undefined;
    for (const { event } of causes) expect(log?.stdout).toContain(event.message);
    await server.expectNothingUnfinished();
  });
});

test.each(["large-objects.sql", "large-objects.dump"])(
  "large objects of %s keep owners and grants where roles are created",
  async (name) => {
    const dump = join(folder, name);
    const { result } = await server.restore({
      ...{ database: "kept", dump, name, roles: "create without login" },
    });
    expect(result.result, result.text).toBe("restored");
    const rights = `SELECT oid, pg_get_userbyid(lomowner), (SELECT string_agg(rolname, ' ' ORDER BY rolname)
        FROM aclexplode(lomacl) a LEFT JOIN pg_roles r ON r.oid = grantee WHERE grantee <> lomowner AND rolname !~ '^kept')
      FROM pg_largeobject_metadata ORDER BY oid`;
    expect(await server.sql("kept", rights)).toBe(
      "901|lo_owner|lo_reader\n902|kept|lo_reader\n903|kept|\n904|kept|\n905|kept|",
    );
  },
);

describe("a refresh of tables whose policies apply to their owner", () => {
  const read = (name: string): string =>
    readFileSync(join(checkout, "test/support/cases/refresh", name), "utf8");
  const scripts = (...versions: readonly number[]): Upgrades => ({
    rules: { gaps: "refused", version: "SELECT version FROM v" },
    scripts: versions.map((from) => {
      const name = `upgrade-${from}-${from + 1}.sql`;
      const text = read(name);
      const sha256 = createHash("sha256").update(text).digest("hex");
      return { package: "application", from: `${from}`, to: `${from + 1}`, name, sha256, text };
    }),
  });
  const upgraded = `CREATE TYPE addr AS (street text); CREATE TABLE plaintesters (id int, name text);
    CREATE TABLE ledger (id int, amount int); INSERT INTO ledger SELECT n, n FROM generate_series(1, 5) n;
    ALTER TABLE ledger ENABLE ROW LEVEL SECURITY; ALTER TABLE ledger FORCE ROW LEVEL SECURITY;`;
  const production = async (name: string, more = ""): Promise<Buffer> => {
    await server.createDatabase(name, `${read("forced-row-security.sql")} ${upgraded} ${more}`);
    const dump = await server.dump(name);
    await server.sql("postgres", `DROP DATABASE ${name}`);
    return dump;
  };

  test("keeps all rows, and runs scripts of every kind", async () => {
    const first = await server.restore({ database: "kept_rows", dump: await production("first") });
    expect(first.result.result, first.result.text).toBe("restored");
    await server.sql(
      "kept_rows",
      "INSERT INTO testers SELECT n, 't' || n, 'ours' FROM generate_series(2, 4) n; INSERT INTO qa (note) VALUES ('a'), ('b')",
    );
    const dump = await production("second", "INSERT INTO qa (note) VALUES ('of production');");
    const { result } = await server.restore({
      ...{ database: "kept_rows", dump },
      prepare: { upgrades: scripts(1, 2), keep: [{ table: "testers" }, { table: "qa" }] },
    });
    expect(result.result, result.text).toBe("restored");
    expect(result.prepared?.keep?.text).toMatch(/preserved testers \(4 rows\)/);
    expect(await server.sql("kept_rows", "SELECT id, name FROM testers ORDER BY id")).toBe(
      "1|prod one\n2|ours\n3|ours\n4|ours",
    );
    expect(
      await server.sql(
        "kept_rows",
        "SELECT (SELECT string_agg(name, ' ' ORDER BY id) FROM plaintesters), (SELECT string_agg(m::text, '' ORDER BY m) FROM moods)",
      ),
    ).toBe("a;b \\.x|bbbbb");
  });

  test("fails with a way out where a script would change none of the rows", async () => {
    const { result } = await server.restore({
      ...{ database: "hidden_rows", dump: await production("third") },
      prepare: { upgrades: scripts(1, 2, 3) },
    });
    expect(result.result).toBe("failed");
    expect(result.text).toMatch(/upgrade-3-4\.sql[^]*NO FORCE ROW LEVEL SECURITY/);
    expect(await server.databases()).not.toContain("hidden_rows");
    await server.expectNothingUnfinished();
  });
});
