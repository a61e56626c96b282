import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  preserveReportSchema,
  type PreserveReport,
  type PreserveRule,
} from "../../../model/preserve/protocol";
import { callAgentFunction } from "../../support/programs/agent-function";
import { useServer } from "../../support/servers/server";
import { atMost } from "../../support/time/limit.mjs";

const server = useServer();
const startedAt = "2026-11-25T03:29:00.123Z";

const keep = async (...tables: readonly (string | PreserveRule)[]): Promise<PreserveReport> =>
  preserveReportSchema.parse(
    await callAgentFunction(server, "agent/prepare/preserve/preserve-tables.ts", "preserveTables", {
      ...{ live: "shop", candidate: "shop_new", owner: "shop_owner", startedAt },
      rules: tables.map((table) => (typeof table === "string" ? { table } : table)),
    }),
  );

/** What was put aside, as `npx stagecraft log` prints it. */
const aside = async (log: string | undefined): Promise<unknown[]> => {
  const { stdout } = await server.agent(["log", log ?? ""]);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
};

const make = async (live: string, incoming: string): Promise<void> => {
  const database = (name: string, sql: string): string => `
    RESET ROLE;
    DROP DATABASE IF EXISTS ${name} WITH (FORCE);
    CREATE DATABASE ${name} TEMPLATE template0 OWNER shop_owner;
    \\connect ${name}
    SET ROLE shop_owner;
    ${sql}
    ;`;
  await server.sql("postgres", `${database("shop", live)}\n${database("shop_new", incoming)}`);
};

const users = "CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, mail text UNIQUE);";

beforeAll(async () => {
  expect(await server.makeRoles({ database: "shop" })).toMatchObject({ status: 0 });
});

beforeEach(async () => {
  await server.run(["bash", "-c", "rm -rf /var/lib/stagecraft/logs/*keep*"]);
});

describe("a table that the new contents have too", () => {
  test("gets the rows it has not got; what it has stays as it is there", async () => {
    await make(
      `${users} INSERT INTO users VALUES (1, 'ada', 'a@x'), (900, 'tester', 't@x'), (901, E'odd\\t\\\\N "é"', NULL)`,
      `${users} INSERT INTO users VALUES (1, 'ada', 'a@x'), (2, 'new', 'n@x')`,
    );
    const report = await keep("users");
    expect(report).toMatchObject({
      text: "preserved users (3 rows)",
      tables: [{ table: "users", state: "carried over", rows: 3, carried: 2, same: 1, aside: [] }],
    });
    expect(report.log).toBeUndefined();
    expect(await server.sql("shop_new", "SELECT * FROM users ORDER BY id")).toBe(
      '1|ada|a@x\n2|new|n@x\n900|tester|t@x\n901|odd\t\\N "é"|',
    );
    expect(await server.sql("shop", "SELECT count(*) FROM users")).toBe("3");
  });

  test("gets all rows also where policies apply to the owner, and a condition is refused there", async () => {
    const forced = `CREATE TABLE testers (id int PRIMARY KEY, tenant text);
      ALTER TABLE testers ENABLE ROW LEVEL SECURITY; ALTER TABLE testers FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant ON testers USING (tenant = current_setting('app.tenant', true));`;
    const filled = forced.replace(
      "ALTER",
      "INSERT INTO testers SELECT n, 'a' FROM generate_series(1, 3) n; ALTER",
    );
    await make(filled, forced);
    expect((await keep("testers")).text).toBe("preserved testers (3 rows)");
    expect(await server.sql("shop_new", "SELECT count(*) FROM testers")).toBe("3");
    expect(
      await server.sql(
        "shop_new",
        "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'testers'",
      ),
    ).toBe("t");
    await expect(keep({ table: "testers", where: "id > 1" })).rejects.toThrow(
      /policies of testers apply to its owner/,
    );
  });

  test("gets the large objects of its rows, under new ids where theirs are taken", async () => {
    const files = "CREATE TABLE files (id int PRIMARY KEY, object oid);";
    await make(
      `${files} SELECT lo_from_bytea(901, 'one'), lo_from_bytea(902, 'ours'), lo_from_bytea(903, 'same');
       INSERT INTO files VALUES (1, 901), (2, 902), (3, 903), (4, 12345), (5, NULL)`,
      `${files} SELECT lo_from_bytea(902, 'theirs'), lo_from_bytea(903, 'same'); INSERT INTO files VALUES (9, 902)`,
    );
    expect((await keep("files")).text).toBe(
      "preserved files (5 rows)\n  files   with 2 large objects of its rows",
    );
    expect(
      await server.sql(
        "shop_new",
        "SELECT id, CASE WHEN object <> 12345 THEN convert_from(lo_get(object), 'UTF8') END FROM files ORDER BY id",
      ),
    ).toBe("1|one\n2|ours\n3|same\n4|\n5|\n9|theirs");
  });

  test("only the rows of a condition", async () => {
    await make(
      `${users} INSERT INTO users SELECT n, 'user ' || n, NULL FROM generate_series(1, 50) n`,
      users,
    );
    const { text } = await keep({ table: "users", where: "id > 40 -- the testers" });
    expect(text).toBe("preserved users (10 rows)");
    expect(await server.sql("shop_new", "SELECT count(*), min(id) FROM users")).toBe("10|41");
  });

  test("columns are matched by name, also where their order and types differ", async () => {
    await make(
      `CREATE TABLE t (id int PRIMARY KEY, gone int, amount numeric, day date, tags text[], twice int GENERATED ALWAYS AS (id * 2) STORED, code char(3), bits bit(4), data bytea, state boolean);
       INSERT INTO t VALUES (1, 7, 1.50, '2026-02-01', '{a,"b c"}', DEFAULT, 'ab', '1010', '\\x00ff', true), (2, NULL, 2, NULL, NULL, DEFAULT, NULL, NULL, NULL, NULL)`,
      `CREATE TYPE s AS ENUM ('true', 'false');
       CREATE TABLE t (state text, data bytea, bits bit(4), code varchar(3), tags text[], day timestamptz, amount int, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, fresh text DEFAULT 'new')`,
    );
    const { tables, text, log } = await keep("t");
    // 1.50 is no whole number any more.
    expect(tables).toMatchObject([
      { rows: 2, carried: 1, aside: [{ reason: "wrong type", rows: 1 }], shortened: 0 },
    ]);
    expect(text).toBe(
      `preserved t (1 of 2 rows)\n  t     1 row skipped: 1 wrong type\n  log   ${log ?? ""}`,
    );
    await server.sql("shop", "UPDATE t SET amount = 3");
    const again = await keep("t");
    expect(again.tables).toMatchObject([{ rows: 2, carried: 1, same: 0, shortened: 1 }]);
    expect(
      await server.sql(
        "shop_new",
        "SELECT state, data, bits, code, tags, day AT TIME ZONE 'UTC', amount, fresh FROM t WHERE id = 1",
      ),
    ).toBe('t|\\x00ff|1010|ab |{a,"b c"}|2026-02-01 00:00:00|3|new');
  });

  test("no trigger and no rule sees the rows, and all of them work again afterwards", async () => {
    const quiet = `
      CREATE TABLE seen (id int);
      CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END';
      CREATE TRIGGER usual AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION see();
      CREATE TRIGGER always AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION see();
      ALTER TABLE users ENABLE ALWAYS TRIGGER always;
      CREATE TRIGGER off AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION see();
      ALTER TABLE users DISABLE TRIGGER off;
      CREATE RULE nothing AS ON INSERT TO users WHERE NEW.id = 900 DO INSTEAD NOTHING;`;
    const states =
      "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal UNION ALL SELECT rulename, ev_enabled FROM pg_rewrite WHERE rulename = 'nothing' ORDER BY 1";
    await make(`${users} INSERT INTO users VALUES (900, 'tester', 't@x')`, users + quiet);
    const before = await server.sql("shop_new", states);
    expect((await keep("users")).text).toBe("preserved users (1 row)");
    expect(await server.sql("shop_new", "SELECT count(*) FROM seen")).toBe("0");
    expect(await server.sql("shop_new", "SELECT id FROM users")).toBe("900");
    expect(await server.sql("shop_new", states)).toBe(before);
    expect(before).toBe("always|A\nnothing|O\noff|D\nusual|O");
  });

  test("rows of a table without keys come once, however often they are carried over", async () => {
    await make(
      "CREATE TABLE log (day date, what text); INSERT INTO log VALUES ('2026-01-01', 'one'), ('2026-01-02', NULL)",
      "CREATE TABLE log (day date, what text); INSERT INTO log VALUES ('2026-01-01', 'one')",
    );
    expect((await keep("log")).tables).toMatchObject([{ carried: 1, same: 1 }]);
    expect((await keep("log")).tables).toMatchObject([{ carried: 0, same: 2 }]);
    expect(await server.sql("shop_new", "SELECT count(*) FROM log")).toBe("2");
  });

  test("sequences go on behind the rows, and back never", async () => {
    await make(
      `CREATE TABLE a (id serial PRIMARY KEY); INSERT INTO a VALUES (500);
       CREATE TABLE b (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY); INSERT INTO b VALUES (3);
       CREATE SEQUENCE shared; CREATE TABLE c (id bigint PRIMARY KEY DEFAULT nextval('shared')); INSERT INTO c VALUES (70)`,
      `CREATE TABLE a (id serial PRIMARY KEY);
       CREATE TABLE b (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY); SELECT setval('b_id_seq', 40);
       CREATE SEQUENCE shared; CREATE TABLE c (id bigint PRIMARY KEY DEFAULT nextval('shared'))`,
    );
    expect((await keep("a", "b", "c")).text).toBe("preserved a (1 row), b (1 row), c (1 row)");
    expect(
      await server.sql(
        "shop_new",
        "SELECT nextval('a_id_seq'), nextval('b_id_seq'), nextval('shared')",
      ),
    ).toBe("501|41|71");
  });
});

describe("rows that do not fit any more", () => {
  test("are put aside one by one, with the reason, and the others are carried over", async () => {
    const orders = (more: string): string =>
      `CREATE TABLE orders (id int PRIMARY KEY, of int${more}, note text);`;
    await make(
      `${users} INSERT INTO users VALUES (1, 'gone from production', NULL);
       ${orders("")}
       INSERT INTO orders SELECT n, NULL, 'fits' FROM generate_series(100, 199) n;
       INSERT INTO orders VALUES (1, NULL, 'taken'), (2, 1, 'no user'), (3, 9, NULL), (4, NULL, 'much too long for it'), (5, NULL, 'forbidden')`,
      `${users} INSERT INTO users VALUES (9, 'still there', NULL);
       CREATE TABLE orders (id int PRIMARY KEY, of int REFERENCES users DEFERRABLE INITIALLY DEFERRED, note varchar(10) NOT NULL CHECK (note <> 'forbidden'));
       INSERT INTO orders VALUES (1, 9, 'production')`,
    );
    const { tables, text, log } = await keep("orders");
    expect(tables).toMatchObject([{ rows: 105, carried: 100, same: 0 }]);
    expect(tables[0]?.aside.map(({ reason, rows }) => `${rows} ${reason}`).sort()).toEqual([
      "1 check violated",
      "1 missing target",
      "1 null not allowed",
      "1 unique conflict",
      "1 wrong type",
    ]);
    expect(text.split("\n")[0]).toBe("preserved orders (100 of 105 rows)");
    expect(log).toBe("20261125T032900123Z-keep.jsonl");
    const rows = (await aside(log)) as { row: { id: string }; reason: string; message: string }[];
    expect(rows.map(({ row, reason }) => `${row.id} ${reason}`).sort()).toEqual([
      "1 unique conflict",
      "2 missing target",
      "3 null not allowed",
      "4 wrong type",
      "5 check violated",
    ]);
    expect(rows.find(({ row }) => row.id === "2")).toEqual({
      table: "orders",
      reason: "missing target",
      message:
        'insert or update on table "orders" violates foreign key constraint "orders_of_fkey": Key (of)=(1) is not present in table "users".',
      row: { id: "2", of: "1", note: "no user" },
    });
    expect(await server.sql("shop_new", "SELECT note FROM orders WHERE id = 1")).toBe("production");
    const { stdout } = await server.run([
      "bash",
      "-c",
      "stat -c %a /var/lib/stagecraft/logs/*keep*; ls /var/lib/stagecraft/logs",
    ]);
    expect(stdout).toMatch(/^600\n/);
    expect(stdout).not.toContain("partial");
  });

  test("values of columns that are gone are put aside, and their rows carried over", async () => {
    await make(
      `CREATE TABLE t (id int PRIMARY KEY, gone text); INSERT INTO t VALUES (1, 'value'), (2, NULL)`,
      `CREATE TABLE t (id int PRIMARY KEY)`,
    );
    const { text, log, tables } = await keep("t");
    expect(tables).toMatchObject([{ rows: 2, carried: 2, shortened: 1, aside: [] }]);
    expect(text).toContain("  t     1 row without the values of removed columns");
    expect(await aside(log)).toEqual([
      {
        ...{ table: "t", reason: "missing column", message: "carried over without gone" },
        row: { id: "1", gone: "value" },
      },
    ]);
  });
});

describe("a table that the new contents have not got", () => {
  test("is made as the live one is, belongs to the owner, and goes on counting where that stood", async () => {
    await make(
      `CREATE SCHEMA qa;
       CREATE TABLE qa."Sign Off" (id serial PRIMARY KEY, who text NOT NULL, said text DEFAULT 'yes' CHECK (said IN ('yes', 'no')));
       CREATE UNIQUE INDEX by_who ON qa."Sign Off" (lower(who));
       COMMENT ON TABLE qa."Sign Off" IS 'who said what';
       INSERT INTO qa."Sign Off" (who) SELECT 'tester ' || n FROM generate_series(1, 30) n;
       DELETE FROM qa."Sign Off" WHERE id > 20`,
      users,
    );
    const { tables, text } = await keep('qa."Sign Off"');
    expect(tables).toMatchObject([{ state: "created", rows: 20, carried: 20, notes: [] }]);
    expect(text).toBe(
      'preserved qa."Sign Off" (20 rows)\n  qa."Sign Off"   created, because the new contents do not have this table',
    );
    const said = `
      INSERT INTO qa."Sign Off" (who) VALUES ('me') RETURNING id, said;
      SELECT obj_description('qa."Sign Off"'::regclass);
      SELECT relname, relowner::regrole FROM pg_class WHERE relnamespace = 'qa'::regnamespace ORDER BY 1`;
    expect(await server.sql("shop_new", said)).toBe(
      [
        "31|yes",
        "who said what",
        "Sign Off|shop_owner",
        "Sign Off_id_seq|shop_owner",
        "Sign Off_pkey|shop_owner",
        "by_who|shop_owner",
      ].join("\n"),
    );
  });

  test("comes with those it refers to, in whatever order they are named, and in circles", async () => {
    await make(
      `CREATE TABLE teams (id int PRIMARY KEY, head int); CREATE TABLE testers (id int PRIMARY KEY, team int REFERENCES teams, boss int REFERENCES testers);
       ALTER TABLE teams ADD FOREIGN KEY (head) REFERENCES testers;
       INSERT INTO teams VALUES (1, NULL), (2, NULL);
       INSERT INTO testers VALUES (1, 1, NULL), (2, 1, 3), (3, 2, 1);
       UPDATE teams SET head = 1 WHERE id = 2`,
      "",
    );
    const { tables, text } = await keep("testers", "teams");
    expect(text).toMatch(/^preserved (teams|testers) \(\d rows\), (teams|testers) \(\d rows\)\n/);
    expect(tables).toMatchObject([{ aside: [] }, { aside: [] }]);
    expect(
      await server.sql("shop_new", "SELECT count(*) FROM testers JOIN teams ON team = teams.id"),
    ).toBe("3");
  });

  test("lacks a foreign key to what is gone, and says so", async () => {
    await make(
      `CREATE TABLE gone (id int PRIMARY KEY); INSERT INTO gone VALUES (1);
       CREATE TABLE testers (id int PRIMARY KEY, of int REFERENCES gone); INSERT INTO testers VALUES (1, 1)`,
      "",
    );
    const { tables } = await keep("testers");
    expect(tables).toMatchObject([
      {
        ...{ state: "created", rows: 1, carried: 1 },
        notes: [
          'missing, unlike in the live database: ALTER TABLE ONLY public.testers ADD CONSTRAINT testers_of_fkey FOREIGN KEY (of) REFERENCES public.gone(id) (relation "public.gone" does not exist)',
        ],
      },
    ]);
  });

  test("whose type is gone is not made, and all its rows are put aside", async () => {
    await make(
      "CREATE TYPE mood AS ENUM ('good'); CREATE TABLE moods (id int, felt mood); INSERT INTO moods VALUES (1, 'good'), (2, NULL)",
      "",
    );
    const { tables, log } = await keep("moods");
    expect(tables).toMatchObject([
      {
        ...{ state: "carried over", rows: 2, carried: 0 },
        aside: [{ reason: "missing table", rows: 2 }],
        notes: [expect.stringContaining('type "public.mood" does not exist')],
      },
    ]);
    expect(await aside(log)).toMatchObject([
      { row: { id: "1", felt: "good" } },
      { row: { id: "2", felt: null } },
    ]);
  });

  test("partitioned ones come with their partitions", async () => {
    await make(
      `CREATE TABLE visits (day date NOT NULL, n int) PARTITION BY RANGE (day);
       CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
       INSERT INTO visits VALUES ('2026-02-01', 1), ('2026-03-01', 2)`,
      "",
    );
    expect((await keep("visits")).tables).toMatchObject([{ state: "created", carried: 2 }]);
    expect(await server.sql("shop_new", "SELECT sum(n) FROM visits_2026")).toBe("3");
  });
});

describe("what cannot be kept", () => {
  test("a table that nobody has made yet is no fault", async () => {
    await make(users, users);
    expect(await keep("testers", "users")).toMatchObject({
      text: "preserved users (0 rows), testers (does not exist yet)",
    });
  });

  test.each([
    [{ table: "seen" }, "database.keep: seen is a view; only tables can be preserved"],
    [
      { table: "a b" },
      /database\.keep: "a b" is not a valid table name \(string is not a valid identifier: "a b"\)/,
    ],
    [
      { table: "users", where: "nothing > 1" },
      'database.keep: PostgreSQL rejects the condition for users: column "nothing" does not exist',
    ],
    [
      { table: "users", where: "true) TO STDOUT; DROP TABLE users; --" },
      /database\.keep: PostgreSQL rejects the condition for users: syntax error at or near "TO"$/,
    ],
  ])("%j is told by its place in the settings", async (table, message) => {
    await make(`${users} CREATE VIEW seen AS SELECT 1 AS id`, users);
    await expect(keep(table)).rejects.toThrow(message);
    expect(await server.sql("shop", "SELECT count(*) FROM users")).toBe("0");
  });
});

test("twenty thousand rows, of which some do not fit, take no more than a moment each", async () => {
  await make(
    `${users} INSERT INTO users SELECT n, 'user ' || n, 'm' || n FROM generate_series(1, 20000) n`,
    `${users} INSERT INTO users SELECT n * 2000, 'other', NULL FROM generate_series(1, 10) n`,
  );
  const { tables, seconds } = await keep("users");
  expect(tables).toMatchObject([
    { rows: 20_000, carried: 19_990, aside: [{ reason: "unique conflict", rows: 10 }] },
  ]);
  expect(seconds).toBeLessThan(atMost(60));
});
