import { beforeAll, describe, expect, test } from "vitest";
import { mask, type Masks } from "../../../components";
import type { Manifest } from "../../../model/backup/manifest";
import type { BackupId } from "../../../model/base/names";
import type { RestoreRequest, RestoreResult } from "../../../model/restore/protocol";
import type { Upgrades } from "../../../model/upgrades/protocol";
import { refreshPlanSchema } from "../../../model/restore/refresh-plan";
import { useServer, type TestRestored } from "../../support/servers/server";
import { backUpWell } from "../../support/backups/agent-backups";
import { writeDumpedBackup, verifyBackup } from "../../support/backups/dumped-backup";
import { sha256Of } from "../../../agent/system/digest";
import { endHolderSql, holdSession } from "../../support/databases/held-session";
import { atMost } from "../../support/time/limit.mjs";
import { until } from "../../support/time/until";

const server = useServer({
  readsBackups: true,
  settings: ["max_prepared_transactions=2", "wal_level=logical"],
});
const first = "20261114T032900Z";
const second = "20261121T032900Z";
const database = "shop";

const request = (backup: BackupId, more: Partial<RestoreRequest> = {}) => ({
  database,
  source: { name: backup, backup, repository: "prod-backups" },
  ...more,
});

async function refresh(
  backup: BackupId,
  more: Partial<RestoreRequest> = {},
): Promise<TestRestored> {
  return server.restoreReceived(request(backup, more));
}

async function plan(backup: BackupId, more: Partial<RestoreRequest> = {}) {
  const { stdout, stderr } = await server.agent(["plan"], {
    ...{ server: server.name, kind: "staging", restoreId: "plan", mode: "replace" },
    ...{ roles: "leave out", ...request(backup, more) },
  });
  expect(stderr).toBe("");
  return refreshPlanSchema.parse(JSON.parse(stdout));
}

const users = async (name = database): Promise<string> =>
  server.sql(name, "SELECT string_agg(name || ' ' || email, ', ' ORDER BY id) FROM users");

beforeAll(async () => {
  await server.createDatabase(
    "production",
    `CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE);
     CREATE TABLE jobs (id int, enabled boolean);
     INSERT INTO users VALUES (1, 'Ada', 'ada@canary.example'), (2, 'Bob', 'bob@canary.example');
     INSERT INTO jobs VALUES (1, true)`,
  );
  await writeDumpedBackup(server, { id: first, database: "production" });
  await server.sql("production", "INSERT INTO users VALUES (3, 'Eve', 'eve@canary.example')");
  await writeDumpedBackup(server, { id: second, database: "production" });
  for (const id of [first, second])
    expect(await verifyBackup(server, id)).toMatchObject({ status: 0 });
});

describe("a refresh from another server's backup", () => {
  test("is planned without touching anything", async () => {
    const before = await server.databases();
    expect(await plan(first)).toMatchObject({
      ...{ database, now: null, broughtBackFrom: null, problems: [], past: [] },
      backup: { id: first, server: server.name, rows: 3 },
    });
    expect(await server.databases()).toEqual(before);
  });

  test("brings its contents, with exactly its manifest's rows", async () => {
    const { result } = await refresh(first);
    expect(result, result.text).toMatchObject({ result: "restored", source: { backup: first } });
    expect(await users()).toBe("Ada ada@canary.example, Bob bob@canary.example");
    expect(result.verdict?.rows).toEqual(
      expect.arrayContaining([{ table: "public.users", expected: 2, found: 2 }]),
    );
  });

  test("changes nothing a second time", async () => {
    expect((await refresh(first)).result.result).toBe("unchanged");
  });

  test("is prepared before it takes the name: upgraded, masked, defused", async () => {
    const text = "ALTER TABLE users ADD nick text; UPDATE users SET nick = lower(name);";
    const prepare = preparation(text);
    const { result, stdout } = await refresh(second, { prepare });
    expect(result.result, result.text).toBe("restored");
    // What Pulumi keeps: no value of the data, and short.
    const { summary } = JSON.parse(stdout) as RestoreResult;
    expect(summary).toEqual({
      ...{ upgrades: ["app: upgrade-1.0-1.1.sql"], kept: [], more: 0 },
      masked: { columns: 3, tables: 1, values: 9 },
      defused: [{ name: "jobs off", rows: 1 }],
    });
    expect(result.steps.map(({ name }) => name)).toEqual([
      ...["read", "create", "restore", "mask", "check", "owner"],
      ...["upgrade", "mask new columns", "defuse", "analyse", "grants", "swap"],
    ]);
    expect(result.prepared).toMatchObject({
      upgrades: { result: "applied", applied: [{ name: "upgrade-1.0-1.1.sql" }] },
      masks: { values: 9 },
      defuse: { statements: [{ name: "jobs off", rows: 1 }] },
    });
    // A first name alone, as nobody's is who was made up.
    expect(await users()).not.toMatch(/canary|(Ada|Bob|Eve) \S+@/);
    expect(await server.sql(database, "SELECT count(*) FROM users")).toBe("3");
    expect(await server.sql(database, "SELECT enabled FROM jobs")).toBe("f");
  });

  test("goes back at once to what was there, and forward again", async () => {
    const oid = async (name: string): Promise<string> =>
      server.sql("postgres", `SELECT oid FROM pg_database WHERE datname = '${name}'`);
    const [live, previous] = [await oid(database), await oid(`${database}__previous`)];
    expect(await plan(first)).toMatchObject({ broughtBackFrom: `${database}__previous` });
    const back = await refresh(first, { restoreId: "back-1" });
    expect(back.result).toMatchObject({
      result: "brought back",
      text: `shop was rolled back to ${first}, as it was when it was replaced; the replaced contents are in shop__previous`,
    });
    expect([await oid(database), await oid(`${database}__previous`)]).toEqual([previous, live]);
    expect((await refresh(first, { restoreId: "back-1" })).result.result).toBe("unchanged");
    expect((await refresh(second, { restoreId: "forward-1" })).result.result).toBe("brought back");
    expect([await oid(database), await oid(`${database}__previous`)]).toEqual([live, previous]);
  });

  test("is what the application is restarted for, and its report has what became of it", async () => {
    const report = async (): Promise<RestoreResult> =>
      JSON.parse((await server.agent(["report"])).stdout) as RestoreResult;
    const { exchangedAt = "" } = await report();
    const due = async (started: string): Promise<string> =>
      (await server.agent(["application-due", database, started])).stdout;
    expect(await due(new Date(Date.parse(exchangedAt) - 1).toISOString())).toBe("due\n");
    expect(await due(exchangedAt)).toBe("not-due\n");

    const line = (seconds: number, text: string): string =>
      `${new Date(Date.parse(exchangedAt) + seconds * 1000).toISOString()} ${text}\n`;
    const log = line(-1, "ERROR 1 old") + line(1, "ERROR 2 old") + line(2, 'ERROR no "x" here');
    const asked = JSON.stringify({
      ...{ server: server.name, database, revision: "4f2c9e1", container: "the-application" },
      errorPattern: "ERROR",
    });
    const tell = async (how: string, problem: string) =>
      server.agentWith(
        ["application-report", how, exchangedAt, "1.5", problem],
        Buffer.from(`${asked}\n${log}`),
      );
    const failed = await tell("restarted", "/health returns 503");
    expect(failed).toMatchObject({ status: 1, stdout: "" });
    expect(failed.stderr).toBe(
      `${server.name} has the contents of ${second}, but its application does not become healthy: /health returns 503 after 1.5 s
  log       ERROR 2 old
            ERROR no "x" here
  full log  docker logs the-application
  undo      npx stagecraft rollback ${server.name}
  retry     fix the application and run this again; completed steps are not repeated
`,
    );
    const errors = { fresh: [{ signature: 'ERROR no "…" here', count: 1 }], more: 0, known: 1 };
    const application = {
      revision: "4f2c9e1",
      restarted: true,
      healthy: false,
      seconds: 1.5,
      errors,
    };
    expect((await report()).application).toEqual(application);

    const well = await tell("not-restarted", "");
    expect(well).toMatchObject({ status: 0 });
    expect(well.stderr).toContain("healthy after 1.5 s · 1 new error in its log");
    expect((await report()).application).toMatchObject({ restarted: true, healthy: true });
    // What goes wrong later is no news of these contents.
    expect((await tell("not-restarted", "it ended")).stderr).toMatch(
      /^the application of \S+ does not become healthy: it ended after/,
    );
    expect((await report()).application).toMatchObject({ healthy: true });
  });
});

const preparation = (text: string): RestoreRequest["prepare"] => ({
  upgrades: {
    scripts: [script("1.0", "1.1", text)],
    rules: { gaps: "refused", baseline: "1.0" },
  },
  masks: {
    classify: "strict",
    columns: {
      "users.id": mask.public(),
      "users.name": mask.name(),
      "users.email": mask.email(),
      "users.nick": mask.hash(),
      "jobs.*": mask.public(),
    },
  },
  defuse: [
    {
      name: "jobs off",
      sql: "UPDATE jobs SET enabled = false",
      expect: "SELECT NOT EXISTS (SELECT FROM jobs WHERE enabled)",
    },
  ],
});

function script(from: string, to: string, text: string) {
  const sha256 = sha256Of(text);
  return { package: "app", from, to, name: `upgrade-${from}-${to}.sql`, text, sha256 };
}

describe("a refresh that cannot be done changes nothing and says why:", () => {
  const live = async (): Promise<unknown> => ({
    databases: await server.databases(),
    users: await users(),
    stamp: await server.sql(database, "SELECT current_setting('stagecraft.stamp')"),
  });

  async function refused(
    backup: BackupId,
    more: Partial<RestoreRequest>,
    text: string | RegExp,
  ): Promise<void> {
    const before = await live();
    const { result, status } = await refresh(backup, { restoreId: "refused-1", ...more });
    expect({ status, result: result.result }).toEqual({ status: 1, result: "failed" });
    expect(result.text).toMatch(text);
    expect(await live()).toEqual(before);
    await server.expectNothingUnfinished();
  }

  test("an id that is not there, with the nearest ones", async () => {
    await refused(
      "20261120T000000Z",
      {},
      "no backup 20261120T000000Z in prod-backups; the nearest: 20261121T032900Z, 20261114T032900Z",
    );
  });

  const third = "20261122T032900Z";
  test("an unverified backup, unless it is accepted", async () => {
    await writeDumpedBackup(server, { id: third, database: "production", format: "plain" });
    await refused(
      third,
      {},
      /is unverified; verify it with: npx stagecraft backups verify \S+ 20261122T032900Z, or set data.acceptUnverified: true/,
    );
  });

  test("a file that is not what was backed up", async () => {
    await server.output([
      ...["sh", "-c"],
      `f=$(ls -d /var/backups/stagecraft/${third}/pg_dump*); printf '\\001' | dd of="$f" bs=1 seek=60 conv=notrunc`,
    ]);
    await refused(
      third,
      { acceptUnverified: true },
      /backup 20261122T032900Z failed verification:\n +\S+ was modified: its SHA-256 differs\n +use another backup/,
    );
  });

  test("a backup of another kind of server on production, unless that kind is spelled out", async () => {
    const recover = { kind: "production", mode: "when missing", database: "recovered" } as const;
    await refused(
      second,
      recover,
      "a development server, but production is recovered only from its own backups; to allow it, set data.acceptKind: development",
    );
    const { result } = await refresh(second, { ...recover, acceptKind: "development" });
    expect(result.result, result.text).toBe("restored");
  });

  test("a dump whose name says another kind of server, on production", async () => {
    const dump = await server.file(await server.dump("production", "-Fc"));
    const recover = { kind: "production", mode: "when missing", database: "from_a_dump" } as const;
    const { sha256 } = await server.receive(dump, recover);
    const source = { name: "pg_dump.staging.shop.20261122.032900.dump", server: "staging", sha256 };
    await refused(
      second,
      { ...recover, source },
      "is from staging, a staging server, but production is recovered only from its own backups; to allow it, set data.acceptKind: staging",
    );
    const accepted = await refresh(second, { ...recover, source, acceptKind: "staging" });
    expect(accepted.result.result, accepted.result.text).toBe("restored");
  });

  test("a volume that the agent does not read, which a preview leaves to the update", async () => {
    const source = { name: second, backup: second, repository: "another-volume" };
    expect(await plan(second, { source })).toMatchObject({
      ...{ unread: "another-volume", backup: null, problems: [] },
    });
    await refused(
      second,
      { source },
      "volume another-volume is not mounted in the agent's container",
    );
  });

  test("a kept table that the owner may not read, with how to hand it over", async () => {
    await server.sql("postgres", "DROP DATABASE IF EXISTS shop__previous");
    await server.sql(database, "CREATE TABLE notes (text text)");
    try {
      await refused(
        first,
        { prepare: { keep: [{ table: "notes" }] } },
        'database.keep: notes cannot be read by the database owner; make it the owner with: ALTER TABLE "public"."notes" OWNER TO "shop_owner", or leave the table out',
      );
    } finally {
      await server.sql(database, "DROP TABLE notes");
    }
  });

  test("a backup of a newer PostgreSQL", async () => {
    const newest = "20261123T032900Z";
    const tell = (manifest: Manifest): Manifest => ({
      ...manifest,
      postgres: { ...manifest.postgres, version: "18.1" },
    });
    await writeDumpedBackup(server, { id: newest, database: "production", tell });
    const text = /is from PostgreSQL 18, newer than this server's 17; increase postgres\.version/;
    await refused(newest, { acceptUnverified: true }, text);
    const { problems } = await plan(newest, { acceptUnverified: true });
    expect(problems).toEqual([expect.stringMatching(text)]);
  });

  test("a mask that breaks a constraint", async () => {
    await server.sql("postgres", "DROP DATABASE IF EXISTS shop__previous");
    const prepare = preparation("ALTER TABLE users ADD nick text;");
    const columns = { ...prepare?.masks?.columns, "users.email": mask.sql("'same'") };
    await refused(
      first,
      { prepare: { ...prepare, masks: { classify: "strict", columns } } },
      /could not create unique index "users_email_key"[^]*two masked values are equal: use hash/,
    );
  });

  test("an upgrade script that fails", async () => {
    // Otherwise that copy would be brought back.
    await server.sql("postgres", "DROP DATABASE IF EXISTS shop__previous");
    await refused(
      first,
      { prepare: preparation("ALTER TABLE users ADD nick text;\nSELECT nowhere FROM users;") },
      /upgrade-1\.0-1\.1\.sql.*\b2\b[^]*42703/,
    );
  });

  test("a column that nobody has classified", async () => {
    const prepare = preparation("ALTER TABLE users ADD nick text, ADD secret text;");
    await refused(first, { prepare }, /the masks do not fit the data\n.*users\.secret/);
  });

  test("a post-condition that is false", async () => {
    const prepare = preparation("ALTER TABLE users ADD nick text;");
    const [jobs] = prepare?.defuse ?? [];
    const defuse = [{ name: "", expect: "", ...jobs, sql: "UPDATE jobs SET enabled = true" }];
    await refused(
      first,
      { prepare: { ...prepare, defuse } },
      /defuse "jobs off": its post-condition is false/,
    );
  });

  test("a replication slot and a subscription that hold the live database", async () => {
    await server.sql(
      database,
      `SELECT pg_create_logical_replication_slot('held', 'pgoutput');
       CREATE SUBSCRIPTION written CONNECTION 'dbname=x' PUBLICATION y WITH (connect = false)`,
    );
    try {
      await refused(
        first,
        {},
        /replication slot held blocks the swap of shop; drop it with: SELECT pg_drop_replication_slot\('held'\)\n +subscription written blocks the swap of shop/,
      );
      expect((await plan(first)).problems).toHaveLength(2);
    } finally {
      await server.sql(database, "SELECT pg_drop_replication_slot('held')");
      await server.sql(
        database,
        "ALTER SUBSCRIPTION written SET (slot_name = NONE); DROP SUBSCRIPTION written",
      );
    }
  });

  test("a prepared transaction that holds the live database", async () => {
    await server.sql(database, "BEGIN; CREATE TABLE held (); PREPARE TRANSACTION 'held by a test'");
    try {
      await refused(
        first,
        {},
        "prepared transaction 'held by a test' blocks the swap of shop; end it in that database with COMMIT PREPARED or ROLLBACK PREPARED 'held by a test'",
      );
      expect((await plan(first)).problems).toHaveLength(1);
    } finally {
      await server.sql(database, "ROLLBACK PREPARED 'held by a test'");
    }
  });
});

test("two refreshes to different backups at once come one after the other, each whole", async () => {
  const both = await Promise.all(
    [first, second].map(async (backup) => refresh(backup, { database: "both" })),
  );
  expect(both.map(({ result }) => result.result)).toEqual(["restored", "restored"]);
  const waited = both.filter(({ stderr }) => stderr.includes("another restore of both is running"));
  expect(waited).toHaveLength(1);
  const told = "SELECT current_setting('stagecraft.backup'), count(*) FROM users";
  const names = ["both", "both__previous"];
  const contents = await Promise.all(names.map(async (name) => server.sql(name, told)));
  expect(contents.sort()).toEqual([`${first}|2`, `${second}|3`]);
  await server.expectNothingUnfinished();
});

test("a long query on the live database is ended by the swap, and one on template1 is left alone", async () => {
  const other = await holdSession(server, "template1", "SELECT 1");
  const query = server.trySql(database, "SELECT pg_sleep(7200)");
  const isAsking = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${database}' AND wait_event = 'PgSleep'`;
  await until("a long query", async () => (await server.sql("postgres", isAsking)) === "1");
  const { result } = await refresh(first, { restoreId: "swapped-1" });
  expect(result, result.text).toMatchObject({ result: "restored" });
  expect((await query).stderr).toMatch(/terminat/);
  expect(result.awaySeconds).toBeLessThan(atMost(3));
  expect(await server.sql("postgres", endHolderSql)).toBe("1");
  await other.ended;
});

function flywayLedger(rows: string): string {
  return `CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), type varchar(20) NOT NULL,
      script varchar(1000) NOT NULL, success bool NOT NULL, checksum int, installed_on timestamp NOT NULL DEFAULT now());
    INSERT INTO flyway_schema_history VALUES ${rows}`;
}

/** What other tools write down when data is at version 1.1. */
const ledgersAt11 = {
  flyway: flywayLedger(
    "(1, '1.0', 'SQL', 'V1_0__first.sql', true), (2, '1.1', 'SQL', 'V1_1__nick.sql', true)",
  ),
  dbmate: `CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);
    INSERT INTO schema_migrations VALUES ('1.0'), ('1.1')`,
  "node-pg-migrate": `CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);
    INSERT INTO pgmigrations (name, run_on) VALUES ('upgrade-1.0-1.1', now())`,
};

describe("a backup that the agent made tells which upgrade scripts its contents lack:", () => {
  const one = script("1.0", "1.1", "ALTER TABLE users ADD nick text;");
  const two = script("1.1", "1.2", "ALTER TABLE users ADD age int;");
  const upgrades: Upgrades = { scripts: [one, two], rules: { gaps: "refused", baseline: "1.0" } };
  const plannedOf = async (name: string, more: Partial<Upgrades> = {}) => {
    const prepare = { upgrades: { ...upgrades, ...more } };
    const { upgrades: told, problems } = await plan(backup, {
      ...{ database: name, prepare, acceptUnverified: true },
    });
    return { pending: told?.pending, problems };
  };
  let backup = "";

  beforeAll(async () => {
    const prepare = { upgrades: { ...upgrades, scripts: [one] } };
    const { result } = await refresh(second, { database: "ours", restoreId: "ours-1", prepare });
    expect(result.result, result.text).toBe("restored");
    for (const [tool, ledger] of Object.entries(ledgersAt11))
      await server.createDatabase(tool, `CREATE TABLE users (id int, nick text); ${ledger}`);
    await server.createDatabase(
      "halfway",
      flywayLedger("(1, '1.2', 'SQL', 'V1_2__age.sql', false)"),
    );
    await server.createDatabase("blank", "CREATE TABLE users (id int)");
    await server.createDatabase(
      "odd",
      `CREATE SCHEMA stagecraft;
       CREATE FUNCTION told() RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
       CREATE VIEW stagecraft.upgrades AS
         SELECT told() AS package, '1.0' AS from_version, '1.1' AS to_version, 'x' AS name, 'x' AS sha256,
                now() AS applied_at, 'prod' AS applied_by, 1.0 AS seconds`,
    );
    backup = (await backUpWell(server)).id;
  });

  test("by our own ledger, and by none", async () => {
    expect(await plannedOf("ours")).toEqual({
      pending: ["app: upgrade-1.1-1.2.sql"],
      problems: [],
    });
    expect(await plannedOf("blank")).toEqual({
      pending: ["app: upgrade-1.0-1.1.sql", "app: upgrade-1.1-1.2.sql"],
      problems: [],
    });
  });

  test.each(Object.keys(ledgersAt11))(
    "by the ledger of %s, and the refresh applies just those",
    async (tool) => {
      expect(await plannedOf(tool)).toEqual({
        pending: ["app: upgrade-1.1-1.2.sql"],
        problems: [],
      });
      const { result } = await refresh(backup, {
        ...{ database: tool, restoreId: "theirs-1", acceptUnverified: true },
        prepare: { upgrades },
      });
      expect(result.result, result.text).toBe("restored");
      expect(result.prepared?.upgrades?.applied.map(({ name }) => name)).toEqual([two.name]);
      expect(await server.sql(tool, "SELECT count(*) FROM users WHERE age IS NULL")).toBe("0");
    },
  );

  test("a migration that failed on the server it is from is a problem before anything is done", async () => {
    expect(await plannedOf("halfway")).toEqual({
      pending: null,
      problems: [
        "migration V1_2__age of flyway failed halfway; repair it with flyway on the source server first",
      ],
    });
  });

  test("an applied script that was edited is a problem before anything is done", async () => {
    const edited = { ...one, ...script("1.0", "1.1", "ALTER TABLE users ADD nickname text;") };
    const text =
      /^app: upgrade-1\.0-1\.1\.sql was changed after it was applied on sct-agent-\S+ at/;
    const problems = [expect.stringMatching(text)];
    expect(await plannedOf("ours", { scripts: [edited, two] })).toEqual({
      pending: null,
      problems,
    });
    const rules = { gaps: "refused", version: "SELECT '1.1'" } as const;
    const asked = await plannedOf("ours", { scripts: [edited, two], rules });
    expect(asked).toEqual({ pending: null, problems });
  });

  test("and which columns the masks do not fit, before anything is done", async () => {
    const planned = async (columns: Masks["columns"], scripts: Upgrades["scripts"]) => {
      const prepare = {
        masks: { classify: "strict" as const, columns },
        upgrades: { ...upgrades, scripts },
      };
      return plan(backup, { database: "flyway", acceptUnverified: true, prepare });
    };
    const others = { "flyway_schema_history.*": mask.public(), "users.id": mask.public() };
    expect((await planned(others, [one])).problems).toEqual([
      "masks: users.nick: is not classified (text); add a mask, or mask.public()",
    ]);
    // What a script that is pending names, only the update can tell.
    expect((await planned(others, [one, two])).problems).toEqual([]);
    const all = await planned({ ...others, "users.nick": mask.hash() }, [one]);
    expect(all).toMatchObject({ problems: [], masks: { columns: 1, tables: 1, classified: 9 } });
  });

  test("not where only the data can tell, and never by running what somebody put there", async () => {
    const rules = { gaps: "refused", version: "SELECT '1.1'" } as const;
    expect(await plannedOf("blank", { rules })).toEqual({ pending: null, problems: [] });
    expect(await plannedOf("odd")).toEqual({ pending: null, problems: [] });
  });
});
