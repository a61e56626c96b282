import { execa } from "execa";
import fc from "fast-check";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { fileProblems } from "../../../agent/repository/backup-files";
import type { Manifest } from "../../../model/backup/manifest";
import { jobResultSchema } from "../../../model/backup/protocol";
import { formatBytes } from "../../../model/base/units";
import { applyHba } from "../../support/pg-hba/agent-rules";
import { writeSignedRecord } from "../../support/backups/signed-records";
import { writeDumpedBackup, repository, verifyBackup } from "../../support/backups/dumped-backup";
import { useServer } from "../../support/servers/server";
import { shopSql } from "../../support/databases/shop";
import { until } from "../../support/time/until";

const server = useServer();

let ids = 0;

/** An id that no other test has, newer than all before. */
const nextId = (): string => `202611${String(++ids).padStart(2, "0")}T032900Z`;

/** Takes a while to restore into a copy that is checked, and only there. */
const slowSql = `
  CREATE FUNCTION public.slow() RETURNS boolean LANGUAGE sql AS
    $$ SELECT CASE WHEN current_database() LIKE '%checking' THEN pg_sleep(3600) IS NULL END $$;
  CREATE MATERIALIZED VIEW public.m AS SELECT public.slow();`;

beforeAll(async () => {
  await server.createDatabase("shop", shopSql);
  await server.createDatabase("slow", slowSql);
});

/** Runs a script in the folder of a backup. */
async function inFolder(id: string, script: string): Promise<void> {
  await server.output(["sh", "-ec", `cd ${repository}/${id} && ${script}`]);
}

/** That the backup is found bad for these reasons, that this is remembered, and that nothing is left of it. */
async function expectBad(id: string, ...reasons: readonly (string | RegExp)[]): Promise<boolean> {
  const { status, stderr, result } = await verifyBackup(server, id);
  expect(status, stderr).toBe(1);
  const { verification } = result ?? {};
  expect(verification).toMatchObject({ result: "failed" });
  const [head, ...lines] = (verification?.text ?? "").split("\n");
  expect(head).toBe(`backup ${id} failed verification:`);
  expect(lines.map((line) => line.trim())).toEqual(
    reasons.map((reason) =>
      typeof reason === "string" ? reason : (expect.stringMatching(reason) as unknown),
    ),
  );
  expect(stderr).toContain(verification?.text);
  expect(await rememberedOf(id)).toEqual(verification);
  await server.expectNothingUnfinished();
  return verification?.restored ?? false;
}

async function rememberedOf(id: string): Promise<Record<string, unknown> | undefined> {
  const { stdout } = await server.run(["cat", `${repository}/records/${id}/verification.json`]);
  if (stdout === "") return undefined;
  const { signature, ...verification } = JSON.parse(stdout) as Record<string, unknown>;
  expect(signature).toBeDefined();
  return verification;
}

/** Waits until a restore into the copy is in the middle of its work. */
async function untilChecking(): Promise<void> {
  const isChecking = async (): Promise<boolean> => (await server.scratchSql(checking)) === "1";
  await until("a restore of the copy at work", isChecking);
}

const queries =
  "SELECT string_agg(query, ';') FROM pg_stat_activity WHERE datname LIKE '%checking'";
const checking = `SELECT count(*) FROM pg_stat_activity WHERE datname = 'slow__checking' AND query ~ 'REFRESH'`;

describe("a good backup", () => {
  test.each(["directory", "custom", "plain"] as const)(
    "is restored, counted, checked, and remembered as good: %s",
    async (format) => {
      const id = nextId();
      await writeDumpedBackup(server, { id, database: "shop", format });
      const { status, result, stderr } = await verifyBackup(server, id);
      expect({ status, result }, stderr).toMatchObject({
        status: 0,
        result: {
          backup: id,
          verification: {
            ...{ result: "passed", restored: true, from: "repository" },
            text: "restored 1 database: 8 tables with 487 rows, as in the manifest",
          },
        },
      });
      expect(await rememberedOf(id)).toEqual(result?.verification);
      expect((await server.run(["ls", `${repository}/${id}`])).stdout).not.toContain("partial");
      await server.expectNothingUnfinished();
    },
  );

  test("is one whose grants name a role that is not here any more", async () => {
    const id = nextId();
    await server.createDatabase(
      "granted",
      `CREATE ROLE visitor; CREATE TABLE public.t (id int); GRANT SELECT ON public.t TO visitor;`,
    );
    await writeDumpedBackup(server, { id, database: "granted" });
    await server.sql("postgres", `DROP DATABASE granted; DROP ROLE visitor`);
    expect(await verifyBackup(server, id)).toMatchObject({ status: 0 });
    expect(await server.sql("postgres", "SELECT FROM pg_roles WHERE rolname = 'visitor'")).toBe("");
  });

  test("is looked for, when none is named: the newest that nobody has judged, until there is none; old logs go", async () => {
    const [older, newer] = [nextId(), nextId()];
    await writeDumpedBackup(server, { id: older, database: "shop" });
    await writeDumpedBackup(server, { id: newer, database: "shop" });
    const logs = "cd /var/lib/stagecraft/logs";
    const old = "$(seq -f 201912%02gT032900Z-verify-shop.log 31)";
    await server.output(["sh", "-c", `${logs} && touch ${old}`]);
    const { result } = await verifyBackup(server);
    expect(result).toMatchObject({ backup: newer, logs: [`${newer}-verify-shop.log`] });
    const kept = await server.output(["sh", "-c", `${logs} && ls | grep -c verify`]);
    expect(kept.toString().trim()).toBe("30");
    expect((await verifyBackup(server)).result?.backup).toBe(older);
    expect((await verifyBackup(server)).result).toEqual({
      backup: null,
      verification: null,
      logs: [],
    });
  });

  test("that is not there", async () => {
    expect(await verifyBackup(server, "20200101T000000Z")).toMatchObject({
      status: 1,
      stdout: "",
      stderr:
        "no backup 20200101T000000Z on this server; list backups with: npx stagecraft backups\n",
    });
  });
});

describe("a backup is not good", () => {
  test("when its files are not as they were, and then it is not even restored", async () => {
    const id = nextId();
    const { files } = await writeDumpedBackup(server, { id, database: "shop" });
    const [a = "", b = "", c = ""] = files
      .filter(({ path, bytes }) => path.endsWith(".gz") && bytes > 25)
      .map(({ path }) => path);
    const was = (path: string): string =>
      formatBytes(files.find((file) => file.path === path)?.bytes ?? 0);
    await inFolder(
      id,
      `printf x | dd of=${a} bs=1 seek=20 conv=notrunc 2>&1; truncate -s 19 ${b}; rm ${c}; echo >notes.txt; ln -s /etc/passwd link`,
    );
    const restored = await expectBad(
      id,
      `${a} was modified: its SHA-256 differs`,
      `${b} is truncated: 19 B instead of ${was(b)}`,
      `${c} is missing`,
      "link does not belong to this backup",
      "notes.txt does not belong to this backup",
    );
    expect(restored).toBe(false);
  });

  test("when its manifest was altered or has gone", async () => {
    const id = nextId();
    await writeDumpedBackup(server, { id, database: "shop" });
    await inFolder(id, `sed -i 's/"largeObjects":1/"largeObjects":2/' manifest.json`);
    await expectBad(id, "manifest.json or manifest.sha256 was altered");
    await inFolder(id, "rm manifest.sha256");
    await expectBad(id, "manifest.sha256 is missing");
    await inFolder(id, "rm manifest.json");
    await expectBad(id, "manifest.json is missing");
  });

  test("when rows, tables or large objects are not those of the manifest", async () => {
    const id = nextId();
    const tell = (manifest: Manifest): Manifest => ({
      ...manifest,
      databases: manifest.databases.map((database) => ({
        ...database,
        largeObjects: 2,
        tables: [
          ...database.tables
            .filter(({ name }) => name !== "empty")
            .map((table) => (table.name === "customers" ? { ...table, rows: 54 } : table)),
          { schema: "public", name: "gone", rows: 0 },
        ],
      })),
    });
    await writeDumpedBackup(server, { id, database: "shop", tell });
    const restored = await expectBad(
      id,
      "shop: table public.customers has 53 of 54 rows",
      "shop: table public.gone was not restored",
      "shop: table public.empty is not in the manifest",
      "shop: 1 of 2 large objects",
    );
    expect(restored).toBe(true);
  });

  test("when an extension that it needs is not on this server", async () => {
    const id = nextId();
    const edit = `sed -i 's/EXTENSION IF NOT EXISTS pg_trgm/EXTENSION IF NOT EXISTS postgis/' *.sql`;
    await writeDumpedBackup(server, { id, database: "shop", format: "plain", edit });
    await expectBad(
      id,
      "shop: the restore failed",
      /^cause {5}0A000 {2}extension "postgis" is not available/,
      /No such file or directory/,
      ...[/that follows from it/, /^cause/],
      /^fix {7}install the package of extension postgis into the server image/,
    );
  });

  test("when the dump was cut short before its sizes were taken", async () => {
    const id = nextId();
    const edit = `truncate -s 5000 *.sql`;
    await writeDumpedBackup(server, { id, database: "shop", format: "plain", edit });
    await expectBad(id, /^shop: .* is truncated: the closing line .* is missing/);
  });

  test("when amcheck finds an index of the copy broken", async () => {
    const id = nextId();
    await server.createDatabase(
      "fickle",
      // The last index takes a while, in which the first one of the copy can be broken.
      `CREATE FUNCTION public.slowly(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(5); RETURN a; END $$;
       CREATE TABLE public.t (id int);
       INSERT INTO public.t SELECT generate_series(1, 100);
       CREATE TABLE public.u (id int);
       INSERT INTO public.u VALUES (1);
       CREATE INDEX broken ON public.t (id);
       CREATE INDEX slow ON public.u (slowly(id));`,
    );
    await writeDumpedBackup(server, { id, database: "fickle" });
    await server.sql("postgres", "DROP DATABASE fickle");
    const breaking =
      "UPDATE pg_index SET indoption = '1' WHERE indexrelid = to_regclass('public.broken') AND indisvalid RETURNING 1";
    const broken = until(
      "the index is broken",
      async () => (await server.scratchSql(breaking, "fickle__checking")) !== "",
    );
    await expectBad(
      id,
      /^fickle: amcheck: btree index "fickle__checking\.public\.broken": .*order/,
    );
    await broken;
  });
});

describe("a verification that is interrupted", () => {
  test("keeps nobody waiting and leaves the server alone; killed, it leaves no copy and judges nothing", async () => {
    const id = nextId();
    await writeDumpedBackup(server, { id, database: "slow" });
    const running = verifyBackup(server, id);
    await untilChecking();
    await server.expectNothingUnfinished();
    const elsewhere = "SELECT setting FROM pg_settings WHERE name = 'data_directory'";
    expect(await server.scratchSql(elsewhere)).toMatch(/^\/var\/lib\/scratch\//);
    await applyHba(
      server,
      await server.sql(
        "postgres",
        "SELECT pg_read_file(setting) FROM pg_settings WHERE name = 'hba_file'",
      ),
    );
    expect(await server.scratchSql(checking)).toBe("1");
    const kill = `for process in /proc/[0-9]*; do
      tr '\\0' ' ' <$process/cmdline | grep -q 'agent.j[s] verify' && kill -9 \${process#/proc/}
    done`;
    await server.run(["sh", "-c", kill]);
    await running;
    await until("no scratch server", async () => (await server.scratchSql("SELECT 1")) === "");
    expect(await rememberedOf(id)).toBeUndefined();
  });

  test("by the end of its container says so and judges nothing", async () => {
    const id = nextId();
    await writeDumpedBackup(server, { id, database: "slow" });
    const running = verifyBackup(server, id);
    await untilChecking();
    await server.kill("scratch");
    await server.restart("scratch");
    const { status, stdout, stderr } = await running;
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /the restore was interrupted: .*|the agent cannot connect to PostgreSQL/,
    );
    expect(await rememberedOf(id)).toBeUndefined();
  });

  test("by nothing that happens to the server meanwhile", async () => {
    const id = nextId();
    await server.createDatabase("shorter", slowSql.replace("pg_sleep(3600)", "pg_sleep(8)"));
    await writeDumpedBackup(server, { id, database: "shorter" });
    const running = verifyBackup(server, id);
    await until("its work", async () => /REFRESH/.test(await server.scratchSql(queries)));
    await server.kill("postgres");
    await server.restart("postgres");
    expect(await running).toMatchObject({ status: 0 });
  });
});

test("a verified backup is read again after a week, and from then on it counts only while its files are good", async () => {
  await server.run(["sh", "-c", `rm -rf ${repository}/*`]);
  const [altered, good, recent] = [nextId(), nextId(), nextId()];
  for (const id of [altered, good, recent]) {
    await writeDumpedBackup(server, { id, database: "shop", format: "plain" });
    expect(await verifyBackup(server, id)).toMatchObject({ status: 0 });
    if (id !== good) await inFolder(id, "printf x | dd of=$(ls *.sql) bs=1 seek=900 conv=notrunc");
    const aged = { ...(await rememberedOf(id)), checkedAt: "2020-01-01T00:00:00Z" };
    if (id !== recent) await writeSignedRecord(server, id, "verification", aged);
  }
  const verifying = { schedule: "0 0 29 2 *", missed: "wait" };
  const request = { server: server.name, jobs: {}, maintenance: {}, keep: {}, pins: [] };
  const scheduled = await server.agent(["backups-schedule"], { ...request, verify: verifying });
  expect(scheduled).toMatchObject({ status: 0 });

  const said = await server.agent(["job", "verification", "verify"]);
  expect({ status: said.status, ...jobResultSchema.parse(JSON.parse(said.stdout)) }).toMatchObject({
    ...{ status: 1, succeeded: false, backup: null },
    text: `no backup to verify; altered files in backups: ${altered}`,
  });
  expect(await rememberedOf(altered)).toMatchObject({
    ...{ result: "failed", restored: false },
    text: expect.stringMatching(
      /failed verification:\n.* was modified: its SHA-256 differs/,
    ) as string,
  });
  const today = expect.stringMatching(`^${new Date().toISOString().slice(0, 4)}`) as string;
  expect(await rememberedOf(good)).toMatchObject({ result: "passed", checkedAt: today });
  // Nobody has looked at it again.
  expect(await rememberedOf(recent)).toMatchObject({ result: "passed", restored: true });
  expect((await server.agent(["job", "verification", "verify"])).status).toBe(0);
});

test("500 bytes flipped and files cut anywhere in a stored backup are all found", async () => {
  const id = nextId();
  await writeDumpedBackup(server, { id, database: "shop" });
  const here = join(server.folder, "stored");
  await execa("mkdir", [here]);
  const tar = await server.output(["tar", "-C", repository, "-cf", "-", id]);
  await execa("tar", ["-C", here, "-xf", "-"], { input: tar });
  expect(await fileProblems(id, here)).toEqual([]);
  const files = readdirSync(join(here, id), { recursive: true, encoding: "utf8" })
    .map((file) => join(here, id, file))
    .filter((file) => statSync(file).isFile() && statSync(file).size > 0);
  const mutation = fc.record({
    file: fc.constantFrom(...files),
    at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
    how: fc.oneof(
      fc.record({ flip: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ cut: fc.constant(true) }),
    ),
  });
  let found = 0;
  await fc.assert(
    fc.asyncProperty(mutation, async ({ file, at, how }) => {
      const whole = readFileSync(file);
      const position = Math.floor(at * whole.length);
      const changed = "cut" in how ? whole.subarray(0, position) : Buffer.from(whole);
      if ("flip" in how) changed[position] = (whole[position] ?? 0) ^ how.flip;
      writeFileSync(file, changed);
      try {
        expect(await fileProblems(id, here)).toHaveLength(1);
        found++;
      } finally {
        writeFileSync(file, whole);
      }
    }),
    { numRuns: 500 },
  );
  expect(found).toBe(500);
  expect(await fileProblems(id, here)).toEqual([]);
});
