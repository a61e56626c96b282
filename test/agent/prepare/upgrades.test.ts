import { createHash } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type {
  UpgradeRules,
  Upgrades,
  UpgradesReport,
  UpgradesResult,
} from "../../../model/upgrades/protocol";
import { upgradesResultSchema } from "../../../model/upgrades/protocol";
import { callAgentFunction } from "../../support/programs/agent-function";
import { useServer } from "../../support/servers/server";
import { holdSession } from "../../support/databases/held-session";
import { atMost } from "../../support/time/limit.mjs";

const server = useServer();
const login = { user: "shop", password: "the shop's password", database: "shop" };

const upgrades = (
  scripts: Readonly<Record<string, string>>,
  rules: Partial<UpgradeRules> = {},
): Upgrades => ({
  rules: { gaps: "refused", ...rules },
  scripts: Object.entries(scripts).map(([step, text]) => {
    const [from = "", to = ""] = step.split(" ");
    const sha256 = createHash("sha256").update(text).digest("hex");
    return { package: "application", from, to, name: `upgrade-${from}-${to}.sql`, sha256, text };
  }),
});

const run = async (given: Upgrades, database = "shop"): Promise<UpgradesReport> =>
  callAgentFunction(
    server,
    "agent/prepare/upgrades/run.ts",
    "applyUpgrades",
    { database, owner: "shop_owner", server: "staging" },
    given,
  );

const ask = async (mode: "look" | "dry run", given: Upgrades): Promise<UpgradesResult> => {
  const request = { server: server.name, database: "shop", mode, upgrades: given };
  const { status, stdout, stderr } = await server.agent(["upgrades"], request);
  expect(status, stderr).toBe(0);
  return upgradesResultSchema.parse(JSON.parse(stdout));
};

/** The ledger's lines, `none` when there is no ledger. */
const ledger = async (): Promise<string> =>
  (await server.sql("shop", "SELECT to_regclass('stagecraft.upgrades') IS NULL")) === "t"
    ? "none"
    : server.sql(
        "shop",
        "SELECT concat_ws(' ', package, from_version, to_version, applied_by) FROM stagecraft.upgrades ORDER BY applied_at",
      );

beforeAll(async () => {
  expect(await server.makeRoles({ database: "shop", application: login.password })).toMatchObject({
    status: 0,
  });
});

beforeEach(async () => {
  await server.sql(
    "postgres",
    `DROP DATABASE IF EXISTS shop WITH (FORCE);
     CREATE DATABASE shop TEMPLATE template0 OWNER shop_owner;
     \\connect shop
     SET ROLE shop_owner;
     CREATE TABLE public.users (id int PRIMARY KEY, name text);
     INSERT INTO public.users SELECT n, 'user ' || n FROM generate_series(1, 100) n`,
  );
});

const two = {
  "1.9 1.10": "ALTER TABLE users ADD mail text;\n",
  "1.10 1.11": "CREATE TABLE notes (id int);\n",
};

describe("pending scripts", () => {
  test("are applied in order, belong to the owner, and stand in the ledger", async () => {
    const report = await run(upgrades(two, { baseline: "1.9" }));
    expect(report).toMatchObject({
      result: "applied",
      problems: [],
      versions: [{ package: "application", version: "1.11", source: "ledger" }],
      applied: [{ from: "1.9", warnings: [] }, { from: "1.10" }],
    });
    expect(report.text).toMatch(
      /^2 upgrade scripts in [\d.]+ s: upgrade-1\.9-1\.10\.sql, upgrade-1\.10-1\.11\.sql$/,
    );
    expect(await ledger()).toBe("application 1.9 1.10 staging\napplication 1.10 1.11 staging");
    expect(
      await server.sql(
        "shop",
        "SELECT relname, relowner::regrole FROM pg_class WHERE relname IN ('notes', 'upgrades') ORDER BY 1",
      ),
    ).toBe("notes|shop_owner\nupgrades|shop_owner");
  });

  test("fail where policies would hide rows from the owner, instead of changing none", async () => {
    await server.sql(
      "shop",
      `ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY;
       CREATE POLICY none ON users USING (name = current_setting('app.tenant', true))`,
    );
    const hidden = await run(
      upgrades({ "1 2": "UPDATE users SET name = 'x';" }, { baseline: "1" }),
    );
    expect(hidden).toMatchObject({ result: "failed", failure: { sqlstate: "42501" } });
    expect(hidden.text).toMatch(/NO FORCE ROW LEVEL SECURITY/);
    const script =
      "ALTER TABLE users NO FORCE ROW LEVEL SECURITY; UPDATE users SET name = 'x'; ALTER TABLE users FORCE ROW LEVEL SECURITY;";
    const whole = await run(upgrades({ "1 2": script }, { baseline: "1" }));
    expect(whole.result, whole.text).toBe("applied");
    expect(await server.sql("shop", "SELECT count(*) FROM users WHERE name = 'x'")).toBe("100");
  });

  test("are applied once: a second run has nothing to do, and what is new is all it does", async () => {
    await run(upgrades(two, { baseline: "1.9" }));
    expect(await run(upgrades(two))).toMatchObject({
      result: "applied",
      applied: [],
      text: "no upgrade script was pending",
    });
    const more = { ...two, "1.11 1.12": "DROP TABLE notes;" };
    expect((await run(upgrades(more))).applied.map(({ to }) => to)).toEqual(["1.12"]);
  });

  test("the ledger goes with a dump, and the restored copy knows it; the application may read it", async () => {
    await run(upgrades(two, { baseline: "1.9" }));
    const { result } = await server.restore({
      database: "shop",
      dump: await server.dump("shop", "-Fc"),
    });
    expect(result.result, result.text).toBe("restored");
    expect((await run(upgrades(two))).applied).toEqual([]);
    const said = await server.as(login, "SELECT count(*) FROM stagecraft.upgrades");
    expect(said).toMatchObject({ status: 0, stdout: "2\n" });
    await server.sql("postgres", "DROP DATABASE shop__previous");
  });

  test("an edited script is an error, and nothing is applied", async () => {
    await run(upgrades(two, { baseline: "1.9" }));
    const edited = {
      ...two,
      "1.9 1.10": "ALTER TABLE users ADD email text;",
      "1.11 1.12": "SELECT 1;",
    };
    const report = await run(upgrades(edited));
    expect(report).toMatchObject({ result: "refused", applied: [] });
    expect(report.text).toMatch(
      /^the upgrade scripts do not match the data\n {2}upgrade-1\.9-1\.10\.sql was changed after it was applied on staging at /,
    );
    expect(await ledger()).toBe("application 1.9 1.10 staging\napplication 1.10 1.11 staging");
  });

  test("a script that did not arrive whole is not run", async () => {
    const given = upgrades(two, { baseline: "1.9" });
    const [first, second] = given.scripts;
    if (!first || !second) throw new Error("two scripts");
    const broken = { ...given, scripts: [first, { ...second, text: "DROP TABLE users;" }] };
    const report = await run(broken);
    expect(report.problems).toEqual([
      `upgrade-1.10-1.11.sql did not arrive intact: its SHA-256 is not ${second.sha256}`,
    ]);
    expect(await ledger()).toBe("none");
  });
});

describe("a script that fails", () => {
  test("is undone as a whole, those before it stay, those behind it are not tried", async () => {
    const report = await run(
      upgrades(
        {
          ...two,
          "1.11 1.12":
            "UPDATE users SET name = 'gone';\n\nALTER TABLE users\n  ADD a int,\n  DROP nothing;\n",
          "1.12 1.13": "DROP TABLE users;",
        },
        { baseline: "1.9" },
      ),
    );
    expect(report).toMatchObject({
      result: "failed",
      applied: [{ to: "1.10" }, { to: "1.11" }],
      versions: [{ version: "1.11" }],
      failure: { name: "upgrade-1.11-1.12.sql", line: 3, sqlstate: "42703", takenBack: true },
    });
    expect(report.text).toBe(
      [
        "an upgrade script failed; 2 upgrade scripts before it succeeded",
        "  script    upgrade-1.11-1.12.sql, line 3",
        '  cause     42703  column "nothing" of relation "users" does not exist   ALTER TABLE users ADD a int, DROP nothing',
        "  rollback  all changes of this script",
      ].join("\n"),
    );
    expect(await server.sql("shop", "SELECT count(*) FROM users WHERE name = 'gone'")).toBe("0");
    expect(await ledger()).toBe("application 1.9 1.10 staging\napplication 1.10 1.11 staging");
  });

  test.each([
    ["a syntax error in its third line", "SELECT 1;\n-- é\nSELECT 'é', FROM;", 3, "42601"],
    ["rows of a COPY", "SELECT 1;\nCOPY users (id, name) FROM stdin;\nx\ty\n\\.\n", 2, "22P02"],
    [
      "rows of a COPY that is written in another way",
      "SELECT 1;\ncopy users (id, name) FROM/**/stdin (FORMAT csv);\nx,y\n\\.\n",
      2,
      "22P02",
    ],
    [
      "rows in binary format",
      "SELECT 1;\nCOPY users FROM stdin (FORMAT binary);\nPGCOPY\n\\.\n",
      2,
      "57014",
    ],
    [
      "a constraint checked at the end",
      "SELECT 1;\nALTER TABLE users ADD boss int REFERENCES users DEFERRABLE INITIALLY DEFERRED;\nUPDATE users SET boss = 999;\n",
      3,
      "23503",
    ],
    ["a variable of psql", "SELECT 1;\nSELECT :x;", 2, "42601"],
    ["a command of psql within a statement", "SELECT 1 \\gset\n;", 1, "42601"],
    ["what only a superuser may", "ALTER SYSTEM SET work_mem = '1GB';", 1, "25001"],
    ["a file of the server", "CREATE TABLE t (a text);\nCOPY t FROM '/etc/passwd';", 2, "42501"],
  ])("%s: with the line and the SQLSTATE", async (_, text, line, sqlstate) => {
    const { failure, result } = await run(upgrades({ "1 2": text }, { baseline: "1" }));
    expect(result).toBe("failed");
    expect(failure).toMatchObject({ line, sqlstate, takenBack: true });
    expect(await server.sql("shop", "SELECT count(*) FROM users")).toBe("100");
  });

  test("rows follow a COPY when PostgreSQL asks for them, and rows that it sends are ignored", async () => {
    const text =
      "CREATE TABLE t (a int);\ncopy t FROM -- a\nstdin; COPY t TO stdout;\n1\n2\n\\.\nSELECT 1;";
    expect(await run(upgrades({ "1 2": text }, { baseline: "1" }))).toMatchObject({
      result: "applied",
    });
    expect(await server.sql("shop", "SELECT sum(a) FROM t")).toBe("3");
    await server.sql("shop", "DROP TABLE t");
  });

  test("one that would end its transaction, or has a command of psql, is refused before anything runs", async () => {
    const report = await run(
      upgrades(
        { "1 2": "CREATE TABLE a ();", "2 3": "COMMIT;\nSELECT 1;\n\\i x.sql\n" },
        { baseline: "1" },
      ),
    );
    expect(report).toMatchObject({ result: "refused", applied: [] });
    expect(report.problems).toEqual([
      "upgrade-2-3.sql, line 3: \\i is a psql command, but psql does not run upgrade scripts; write it in SQL",
      'upgrade-2-3.sql, line 1: COMMIT would split the script\'s transaction; remove it, or begin the script with "-- stagecraft: no transaction"',
    ]);
    expect(await server.sql("shop", "SELECT to_regclass('a') IS NULL")).toBe("t");
  });
});

describe("what a script may do", () => {
  test("make an index concurrently, when it asks for no transaction", async () => {
    const sql = "CREATE INDEX CONCURRENTLY by_name ON users (name);";
    const within = await run(upgrades({ "1 2": sql }, { baseline: "1" }));
    expect(within.failure).toMatchObject({ sqlstate: "25001" });
    expect(within.text).toContain(
      'fix       begin the script with "-- stagecraft: no transaction", with this statement only',
    );
    const without = `-- stagecraft: no transaction\n${sql}\nSELECT 1/0;`;
    const failed = await run(upgrades({ "1 2": without }, { baseline: "1" }));
    expect(failed.failure).toMatchObject({ line: 3, sqlstate: "22012", takenBack: false });
    expect(failed.text).toContain(
      "rollback  none: the script runs without a transaction, so its previous changes remain",
    );
    const mended = without
      .replace("CONCURRENTLY", "CONCURRENTLY IF NOT EXISTS")
      .replace("1/0", "1");
    expect(await run(upgrades({ "1 2": mended }, { baseline: "1" }))).toMatchObject({
      result: "applied",
    });
    expect(await ledger()).toBe("application 1 2 staging");
  });

  test("say BEGIN and COMMIT around all, change its session and bring rows, but become nobody else", async () => {
    const first = (role: string): string =>
      `BEGIN;\nSET search_path = '';\nSET ROLE ${role};\nCOPY public.users (id, name) FROM stdin;\n101\tüber\n\\.\nCOMMIT;\n`;
    const report = await run(upgrades({ "1 2": first("shop") }, { baseline: "1" }));
    expect(report.failure).toMatchObject({ line: 3, sqlstate: "42501" });
    const again = await run(
      upgrades(
        {
          "1 2": first("shop_owner"),
          "2 3":
            "INSERT INTO users VALUES (102, current_user);\nDO $$ BEGIN RAISE WARNING 'look'; END $$;\n",
        },
        { baseline: "1" },
      ),
    );
    expect(again).toMatchObject({ result: "applied", applied: [{}, { warnings: ["look"] }] });
    expect(await server.sql("shop", "SELECT name FROM users WHERE id > 100 ORDER BY id")).toBe(
      "über\nshop_owner",
    );
  });
});

describe("data without a ledger", () => {
  test("is not touched while nothing tells its version", async () => {
    expect(await run(upgrades(two))).toMatchObject({ result: "refused", applied: [] });
    expect(await ledger()).toBe("none");
  });

  test("tells it by a query", async () => {
    await server.sql(
      "shop",
      "CREATE TABLE apm (package_key text, version_name text); INSERT INTO apm VALUES ('application', '1.10'), ('other', '7')",
    );
    await server.sql("shop", "GRANT SELECT ON apm TO shop_owner");
    const byRows = "SELECT package_key, version_name FROM apm";
    expect((await run(upgrades(two, { version: byRows }))).applied.map(({ to }) => to)).toEqual([
      "1.11",
    ]);
  });

  test("tells it by a query for the only version, also as a number", async () => {
    const given = upgrades({ "1.5 1.6": "SELECT 1;" }, { version: "SELECT 1.5" });
    expect(await ask("look", given)).toMatchObject({
      versions: [{ version: "1.5", source: "query" }],
      scripts: [{ state: "pending" }],
    });
  });

  test.each([
    ["SELECT nothing", 'PostgreSQL rejects the query: column "nothing" does not exist'],
    ["SELECT 'latest'", 'returns "latest", which is not a valid version'],
    ["SELECT 1, 2, 3", "must return a version, or rows of package and version, got 3 columns"],
    [
      "SELECT n FROM generate_series(1, 2) n",
      "returns 2 rows with one column; return the package before the version, or only one row",
    ],
    [
      "DELETE FROM users RETURNING '1.9'",
      "PostgreSQL rejects the query: cannot execute DELETE in a read-only transaction",
    ],
  ])("but not by the query %s", async (version, problem) => {
    const given = upgrades(two, { version, baseline: "1.9" });
    await expect(run(given)).rejects.toThrow(`upgrades.version: ${problem}`);
    expect(await server.sql("shop", "SELECT count(*) FROM users")).toBe("100");
    expect(await ledger()).toBe("none");
  });

  test.each([
    [
      "Flyway",
      `CREATE TABLE public.flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL,
         type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL,
         installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success bool NOT NULL);
       INSERT INTO public.flyway_schema_history VALUES (1, '1.10', 'x', 'SQL', 'V1.10__x.sql', 1, 'me', now(), 1, true)`,
      "flyway",
    ],
    [
      "dbmate",
      "CREATE TABLE public.schema_migrations (version varchar(128) PRIMARY KEY); INSERT INTO public.schema_migrations VALUES ('1.9'), ('1.10')",
      "dbmate",
    ],
    [
      "node-pg-migrate",
      `CREATE SCHEMA tools; CREATE TABLE tools.pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);
       INSERT INTO tools.pgmigrations (name, run_on) VALUES ('upgrade-1.9-1.10', now())`,
      "node-pg-migrate",
    ],
  ])("tells it by the ledger of %s, which is read and never written", async (_, sql, source) => {
    await server.sql("shop", sql);
    await server.sql(
      "shop",
      "DO $$ DECLARE s text; BEGIN FOR s IN SELECT DISTINCT schemaname FROM pg_tables WHERE tablename ~ 'flyway|migrations' LOOP EXECUTE format('GRANT USAGE ON SCHEMA %I TO shop_owner', s); EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO shop_owner', s); END LOOP; END $$",
    );
    const before = await server.dump("shop", "-a", "-t", "*.*migrat*", "-t", "*.flyway*");
    expect(await ask("look", upgrades(two))).toMatchObject({
      problems: [],
      versions: [{ version: "1.10", source }],
    });
    expect((await run(upgrades(two))).applied.map(({ to }) => to)).toEqual(["1.11"]);
    expect((await run(upgrades(two))).applied).toEqual([]);
    const bare = (dump: Buffer): string =>
      dump.toString("utf8").replace(/^\\(un)?restrict.*$/gm, "");
    expect(bare(await server.dump("shop", "-a", "-t", "*.*migrat*", "-t", "*.flyway*"))).toBe(
      bare(before),
    );
  });
});

describe("a dry run", () => {
  test("tries the scripts on a copy, with somebody connected, and leaves nothing behind", async () => {
    const session = await holdSession(server, "shop", "SELECT 1");
    const given = upgrades(
      { ...two, "1.11 1.12": "ALTER TABLE users DROP nothing;" },
      { baseline: "1.9" },
    );
    const result = await ask("dry run", given);
    await session.release();
    expect(result.dryRun).toMatchObject({
      result: "failed",
      applied: [{ to: "1.10" }, { to: "1.11" }],
      failure: { name: "upgrade-1.11-1.12.sql", line: 1, sqlstate: "42703" },
    });
    const most = atMost(60);
    expect(result.dryRun?.applied.every(({ seconds }) => seconds >= 0 && seconds < most)).toBe(
      true,
    );
    expect(result.scripts.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
    expect(await server.databases()).toEqual(["shop"]);
    expect(await ledger()).toBe("none");
    expect(await server.sql("shop", "SELECT to_regclass('notes') IS NULL")).toBe("t");
  });

  test("of a database that is not there says so", async () => {
    const request = {
      server: server.name,
      database: "other",
      mode: "dry run",
      upgrades: upgrades(two),
    };
    expect(await server.agent(["upgrades"], request)).toMatchObject({
      status: 1,
      stderr: `there is no database other on ${server.name} yet\n`,
    });
  });

  test("leaves a copy of one that was killed to be cleared away", async () => {
    await server.sql("postgres", "CREATE DATABASE shop__dry_run");
    expect((await ask("dry run", upgrades(two, { baseline: "1.9" }))).dryRun?.result).toBe(
      "applied",
    );
    expect(await server.databases()).toEqual(["shop"]);
  });
});
