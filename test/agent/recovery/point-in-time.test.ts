import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  copyTableResultSchema,
  restoreTableResultSchema,
} from "../../../model/point-in-time/protocol";
import { restoreResultSchema } from "../../../model/restore/protocol";
import { docker, useServer, type CommandResult } from "../../support/servers/server";
import { TestArchive } from "../../support/recovery/wal-archive";
import { polling } from "../../support/time/limit.mjs";

const server = useServer();
const choice = {
  ...{ full: "0 1 * * 0", differential: "0 1 * * 1-6", timeZone: "UTC" },
  ...{ keepFull: 2, mostWaiting: 2 ** 30 },
};

const archive = new TestArchive(server);

const folder = "/var/lib/stagecraft/side";
const isSideThere = async (): Promise<boolean> => (await server.run(["ls", folder])).status === 0;

const archived = async (): Promise<string[]> =>
  (
    await server.output([
      "sh",
      "-c",
      "cd /var/lib/pgbackrest/archive && find . -name '0*-*' | sort",
    ])
  )
    .toString()
    .trim()
    .split("\n");

beforeAll(async () => {
  await server.createDatabase(
    "shop",
    `CREATE TABLE notes (id int PRIMARY KEY, "Note ""x""" text COLLATE "C" NOT NULL);
     CREATE SCHEMA stock;
     CREATE ROLE keeper; CREATE ROLE looker; GRANT CREATE ON SCHEMA public TO keeper; SET ROLE keeper;
     CREATE TABLE invoices (id serial PRIMARY KEY, amount numeric DEFAULT 7 CHECK (amount > 0)) PARTITION BY RANGE (id);
     CREATE TABLE invoices_low PARTITION OF invoices FOR VALUES FROM (1) TO (100);
     INSERT INTO invoices SELECT FROM generate_series(1, 40);
     CREATE INDEX by_amount ON invoices (amount);
     CREATE TABLE lines (invoice int CONSTRAINT of_invoice REFERENCES invoices);
     CREATE TABLE strays (invoice int CONSTRAINT of_nobody REFERENCES invoices);
     INSERT INTO lines VALUES (1), (2);
     CREATE VIEW paid AS SELECT id, amount FROM invoices WHERE amount > 0;
     CREATE MATERIALIZED VIEW sums AS SELECT sum(amount) AS sum FROM paid;
     CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
     CREATE TRIGGER touch BEFORE UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION touch();
     CREATE FUNCTION all_invoices() RETURNS SETOF invoices LANGUAGE sql AS 'TABLE invoices';
     CREATE VIEW functional AS SELECT id FROM all_invoices();
     ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
     CREATE POLICY everyone ON invoices USING (true);
     GRANT SELECT ON invoices TO looker; GRANT UPDATE (amount) ON invoices TO looker;
     RESET ROLE; ALTER VIEW paid OWNER TO looker`,
  );
});

test("a server that archives nothing keeps nothing of its log, and says that there is nothing to recover", async () => {
  expect(await server.sql("postgres", "SHOW archive_mode")).toBe("on");
  await server.sql("postgres", "SELECT pg_current_xact_id(); SELECT pg_switch_wal()");
  const waiting = async (): Promise<string> =>
    server.sql("postgres", "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name ~ 'ready'");
  await expect.poll(waiting, polling).toBe("0");
  expect(await archive.observed()).toMatchObject({ on: false, windows: [], problem: null });
  expect(await archive.ask("base-backup", { type: "full" })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("is off, so a base backup would be useless") as string,
  });
  expect((await archive.requestInstance("latest")).stderr).toContain(
    "cannot be recovered to latest",
  );
});

describe("with point in time on", () => {
  let first: Awaited<ReturnType<typeof archive.write>>;
  let second: Awaited<ReturnType<typeof archive.write>>;

  beforeAll(async () => {
    expect(await archive.switchTo(choice)).toBe(true);
    // The agent makes the first base backup by itself.
    await vi.waitFor(async () => {
      expect((await archive.observed()).windows.length).toBe(1);
    }, polling);
    await sleep(1100);
    first = await archive.write("SELECT n, 'first' FROM generate_series(1, 10) n");
    second = await archive.write("SELECT n, 'second' FROM generate_series(11, 30) n");
    await server.sql("shop", "DELETE FROM notes WHERE id <= 5");
  });

  test("the settings need no restart, and a second time changes nothing", async () => {
    expect(await archive.switchTo(choice)).toBe(false);
    expect(await archive.observed()).toMatchObject({
      on: true,
      choice,
      failure: null,
      problem: null,
      backups: [{ type: "full" }],
      windows: [{ first: expect.any(String) as string }],
      lastBackup: { result: "backed up", type: "full" },
    });
    expect(await server.sql("postgres", "SHOW archive_timeout")).toBe("45s");
  });

  describe("a recovery instance of a time between two changes", () => {
    beforeAll(async () => {
      await archive.createInstance(first.after);
    });

    test("has exactly the rows of that moment, beside a server that goes on", async () => {
      expect(await archive.instanceSql("shop", "SELECT count(*), max(id) FROM notes")).toBe(
        "10|10",
      );
      expect(await server.sql("shop", "SELECT count(*) FROM notes")).toBe("25");
    });

    test("a database is taken over under another name; in its own place only where that is asked for, and on production where its name confirms it", async () => {
      const copy = async (request: object): Promise<CommandResult> =>
        archive.ask("side-copy-database", {
          kind: "development",
          database: "shop",
          replace: false,
          ...request,
        });
      const other = await copy({ to: "shop_then" });
      expect(other).toMatchObject({ status: 0 });
      expect(restoreResultSchema.parse(JSON.parse(other.stdout))).toMatchObject({
        result: "restored",
        database: "shop_then",
      });
      expect(await server.sql("shop_then", "SELECT count(*) FROM notes")).toBe("10");
      expect(await server.sql("shop", "SELECT count(*) FROM notes")).toBe("25");

      expect((await copy({ to: "shop" })).stderr).toContain(
        "exists; choose another name with --as, or use --replace",
      );
      const production = await copy({ to: "shop", kind: "production", replace: true });
      expect(production).toMatchObject({ status: 1 });
      expect(production.stderr).toContain(
        "production's contents are never replaced; choose another name with --as",
      );
      expect(production.stderr).toContain("add --replace --confirm shop");
      expect(await server.sql("shop", "SELECT count(*) FROM notes")).toBe("25");

      // A dump of the same second has the same bytes, and so is what is there already.
      await server.sql("postgres", "SELECT pg_sleep(1)");
      const confirmed = { kind: "production", replace: true, confirm: "shop_then" };
      const again = await copy({ to: "shop_then", ...confirmed });
      expect(restoreResultSchema.parse(JSON.parse(again.stdout)).result).toBe("restored");
      expect(await server.databases()).toContain("shop_then__previous");
      await server.expectNothingUnfinished();
      await server.sql("postgres", "DROP DATABASE shop_then");
      await server.sql("postgres", "DROP DATABASE shop_then__previous");
    });

    test("is there again after a restart of the agent", async () => {
      await docker("restart", server.agentContainer);
      expect(await archive.instanceSql("shop", "SELECT count(*) FROM notes")).toBe("10");
    });

    test("keeps a second one out, and is removed when its time is over", async () => {
      expect((await archive.requestInstance("latest")).stderr).toMatch(
        /already has a recovery instance of .* UTC; remove it with: npx stagecraft pitr/,
      );
      await server.run(["sed", "-i", 's/"removedAt":"20/"removedAt":"19/', `${folder}/side.json`]);
      // What the main process does every minute it does at its start, too.
      await docker("restart", server.agentContainer);
      await expect.poll(isSideThere, polling).toBe(false);
    });
  });

  describe("a recovery instance of a later time", () => {
    beforeAll(async () => {
      await archive.createInstance(second.after);
    });

    test("has exactly the rows of that moment", async () => {
      expect(await archive.instanceSql("shop", "SELECT count(*), max(id) FROM notes")).toBe(
        "30|30",
      );
    });

    test("a table is taken over under another name, and never over one that is there", async () => {
      const table = { database: "shop", schema: "public", table: "notes" };
      const copy = await archive.ask("side-copy-table", {
        ...table,
        toSchema: "stock",
        toTable: 'as "it" was',
      });
      expect(copy.status, copy.stderr).toBe(0);
      expect(copyTableResultSchema.parse(JSON.parse(copy.stdout))).toMatchObject({ rows: 30 });
      expect(
        await server.sql(
          "shop",
          `SELECT count(*), min("Note ""x"""), (SELECT attcollation::regcollation FROM pg_attribute WHERE attrelid = 'stock."as ""it"" was"'::regclass AND attnum = 2) FROM stock."as ""it"" was"`,
        ),
      ).toBe('30|first|"C"');
      await server.sql(
        "shop",
        `INSERT INTO notes SELECT * FROM stock."as ""it"" was" ON CONFLICT DO NOTHING`,
      );
      expect(await server.sql("shop", "SELECT count(*) FROM notes")).toBe("30");
      await server.sql("shop", "DELETE FROM notes WHERE id <= 5");

      const over = await archive.ask("side-copy-table", {
        ...table,
        toSchema: "public",
        toTable: "notes",
      });
      expect(over).toMatchObject({
        status: 1,
        stderr:
          "table public.notes already exists and is not overwritten; choose another name with --as\n",
      });
      const none = await archive.ask("side-copy-table", {
        ...table,
        table: "nope",
        toSchema: "public",
        toTable: "nope",
      });
      expect(none.stderr).toContain("the recovery instance has no table public.nope");
      expect(await server.sql("shop", "SELECT count(*) FROM notes")).toBe("25");
    });

    test("a dropped table is brought back in its place, with all that went with it", async () => {
      const facts = `SELECT (SELECT count(*) || ' ' || sum(amount) FROM invoices), (SELECT sum FROM sums), (SELECT count(*) FROM paid),
          (SELECT string_agg(conname || ' ' || convalidated, ', ' ORDER BY conname) FROM pg_constraint WHERE conrelid::regclass::text IN ('invoices', 'lines', 'strays') AND contype <> 'n' AND conparentid = 0),
          (SELECT string_agg(relname || ' ' || relowner::regrole || ' ' || relrowsecurity || coalesce(' ' || relacl::text, ''), ', ' ORDER BY relname) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relname ~ 'invoice|paid|sums|amount'),
          (SELECT string_agg(attname || coalesce(' ' || attacl::text, '') || coalesce(' ' || pg_get_expr(adbin, adrelid), ''), ', ' ORDER BY attnum) FROM pg_attribute
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'invoices'::regclass AND attnum > 0),
          (SELECT string_agg(tgname, ', ') FROM pg_trigger WHERE tgrelid = 'invoices'::regclass AND NOT tgisinternal),
          (SELECT count(*) FROM pg_policy), last_value FROM invoices_id_seq`;
      const before = await server.sql("shop", facts);
      await server.sql("shop", "DROP TABLE invoices CASCADE; INSERT INTO strays VALUES (99)");
      const table = { database: "shop", schema: "public", table: "invoices" };
      const said = await archive.ask("side-restore-table", table);
      expect(said.status, said.stderr).toBe(0);
      expect(restoreTableResultSchema.parse(JSON.parse(said.stdout))).toMatchObject({
        rows: 40,
        restored: ["public.invoices", "public.invoices_low", "public.paid", "public.sums"],
        notes: [
          expect.stringMatching(
            /^the foreign key of_nobody of public\.strays is back for new rows.*VALIDATE CONSTRAINT "of_nobody"$/,
          ) as string,
          "function public.all_invoices() is still missing",
          "view public.functional is still missing: it uses such a function",
        ],
      });
      expect(await server.sql("shop", facts)).toBe(
        before.replace("of_nobody true", "of_nobody false"),
      );
      const again = await archive.ask("side-restore-table", table);
      expect(again.stderr).toMatch(
        /public\.invoices exists in shop of .* copy-table public\.invoices\n$/,
      );
      await server.expectNothingUnfinished();
    });

    test("is removed when it is asked for", async () => {
      expect(await server.agent(["side-remove"])).toMatchObject({ stdout: '{"removed":true}\n' });
      expect(await isSideThere()).toBe(false);
      expect(await server.agent(["side-remove"])).toMatchObject({ stdout: '{"removed":false}\n' });
    });
  });

  describe("a recovery instance of the latest time", () => {
    beforeAll(async () => {
      await archive.createInstance("latest");
    });
    afterAll(async () => {
      await server.agent(["side-remove"]);
    });

    test("has what was written last", async () => {
      expect(await archive.instanceSql("shop", "SELECT count(*), min(id) FROM notes")).toBe("25|6");
    });

    test("the recovery instance accepts connections only on its socket, changes nothing and archives nothing", async () => {
      const before = await archived();
      const show = async (name: string): Promise<string> =>
        archive.instanceSql("postgres", `SHOW ${name}`);
      expect([
        await show("archive_mode"),
        await show("archive_command"),
        await show("listen_addresses"),
        await show("unix_socket_directories"),
        await show("max_logical_replication_workers"),
      ]).toEqual(["off", "(disabled)", "", "/var/lib/stagecraft/side/run", "0"]);
      const ports = await server.run(["sh", "-c", "cat /proc/net/tcp /proc/net/tcp6"]);
      // 0A is a socket that listens; 1538 is 5432.
      expect(ports.stdout).not.toMatch(/:1538 \S+ 0A /);
      const written = await server.run([
        ...["psql", "-h", "/var/lib/stagecraft/side/run", "-U", "postgres", "-d", "shop", "-c"],
        "SET default_transaction_read_only = off",
        ...["-c", "CREATE TABLE more AS SELECT generate_series(1, 100000)"],
        ...["-c", "SELECT pg_switch_wal()", "-c", "CHECKPOINT"],
      ]);
      expect(written.status, written.stderr).toBe(0);
      await sleep(1500);
      expect(await archived()).toEqual(before);
      expect(
        await archive.instanceSql(
          "postgres",
          "SELECT archived_count + failed_count FROM pg_stat_archiver",
        ),
      ).toBe("0");
      expect(
        (await server.run(["stagecraft-agent", "side-psql", "shop", "-c", "DROP TABLE notes"]))
          .stderr,
      ).toContain("cannot execute DROP TABLE in a read-only transaction");
    });
  });

  test.each(["2020-01-01 00:00", "2999-01-01 00:00"])(
    "%s is refused with what can be recovered, and nothing is begun",
    async (to) => {
      const said = await archive.requestInstance(to);
      expect(said.status).toBe(1);
      expect(said.stderr).toMatch(
        to.startsWith("2020")
          ? /cannot be recovered to 2020-01-01 00:00:00 UTC: it is outside of the recoverable time: \d{4}-.* UTC to \d{4}-.* UTC\n$/
          : /cannot be recovered to 2999-01-01 00:00:00 UTC: it is in the future; it is .* UTC now\n$/,
      );
      expect(await isSideThere()).toBe(false);
    },
  );

  test("an agent that is killed while it creates a recovery instance leaves nothing", async () => {
    const making = archive.requestInstance("latest");
    await expect
      .poll(
        async () => (await server.run(["ls", "/var/lib/stagecraft/side/maker"])).status,
        polling,
      )
      .toBe(0);
    await server.kill("agent");
    await making;
    await server.restart("agent");
    await expect.poll(isSideThere, polling).toBe(false);
  });
});
