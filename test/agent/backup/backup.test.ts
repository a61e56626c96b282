import { beforeAll, describe, expect, test } from "vitest";
import { verifyResultSchema } from "../../../model/backup/verification-protocol";
import { observationSchema } from "../../../model/observation/observation";
import { useServer } from "../../support/servers/server";
import {
  backUp,
  backUpWell,
  copy,
  listRepository,
  readAttempt,
  readManifest,
  repository,
  restoreDump,
  rowsIn,
  rowsOf,
  schedule,
} from "../../support/backups/agent-backups";

const server = useServer();

const kinds = [
  ...(["zstd", "lz4", "gzip", "none"] as const).map((compression) => ["directory", compression]),
  ...(["zstd", "gzip"] as const).map((compression) => ["custom", compression]),
  ...(["zstd", "lz4", "gzip", "bzip2", "none"] as const).map((c) => ["plain", c]),
] as const;

const everything = `
  CREATE TABLE numbers AS SELECT i, repeat('text ', 20) AS t FROM generate_series(1, 5000) i;
  CREATE UNLOGGED TABLE volatile AS SELECT i FROM generate_series(1, 700) i;
  CREATE TABLE part (day int, t text) PARTITION BY RANGE (day);
  CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
  CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (100) TO (200);
  INSERT INTO part SELECT i, 'x' FROM generate_series(0, 149) i;
  CREATE SCHEMA "odd ""schema""";
  CREATE TABLE "odd ""schema"""."a table. with, everything'" (i int);
  INSERT INTO "odd ""schema"""."a table. with, everything'" VALUES (1), (2);
  CREATE TABLE parent (i int); CREATE TABLE child (j int) INHERITS (parent);
  INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 2), (3, 4);
  CREATE TABLE empty (i int);
  CREATE EXTENSION hstore;
  CREATE MATERIALIZED VIEW seen AS SELECT * FROM numbers;
  SELECT lo_from_bytea(0, 'large one'), lo_from_bytea(0, repeat('x', 5000)::bytea)`;

describe("a backup", () => {
  beforeAll(async () => {
    await server.createDatabase("all", everything);
  });

  test("has a dump of each database, everything else of the server, and their checksums", async () => {
    const application = { revision: "4f2c9e1", url: "http://127.0.0.1:9187/nothing-here" };
    await server.agent(["application", "1"], { server: server.name, ...application });
    const manifest = await backUpWell(server);
    expect(manifest).toMatchObject({
      ...{ format: 1, server: server.name, kind: "development", job: null },
      applicationRevision: "4f2c9e1",
    });
    const observed = observationSchema.parse(JSON.parse((await server.agent(["observe"])).stdout));
    expect(observed.application).toEqual({
      ...application,
      problem: "/nothing-here returns 404",
    });
    await server.agent(["application-forget"]);
    const [day, time] = [manifest.id.slice(0, 8), manifest.id.slice(9, 15)];
    expect(manifest.databases).toMatchObject([
      {
        name: "all",
        dump: `pg_dump.${server.name}.all.${day}.${time}.dir`,
        ...{ format: "directory", compression: "zstd", encoding: "UTF8", locale: "C.UTF-8" },
        largeObjects: 2,
        extensions: [{ name: "hstore" }, { name: "plpgsql" }],
      },
    ]);
    expect(rowsIn(manifest, "all")).toEqual(await rowsOf(server, "all"));
    expect(rowsIn(manifest, "all")).toContain('odd "schema".a table. with, everything\'|2');
    const others = manifest.files.map(({ path }) => path).filter((path) => !path.includes("/"));
    expect(others).toEqual([
      `columns.${server.name}.all.${day}.${time}.dir.json.gz`,
      ...["globals.sql", "pg_hba.conf", "pg_ident.conf", "settings.json"],
    ]);
    // Checked with another program than the one that wrote them.
    const list = manifest.files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("");
    const checked = await server.run(
      ["bash", "-ec", `cd ${repository}/${manifest.id} && sha256sum --check --quiet --strict`],
      Buffer.from(list),
    );
    expect(checked).toMatchObject({ status: 0, stderr: "" });
    const { stdout: found } = await server.run([
      ...["bash", "-c", `cd ${repository}/${manifest.id} && find . -type f | sort`],
    ]);
    const named = [
      ...manifest.files.map(({ path }) => `./${path}`),
      "./manifest.json",
      "./manifest.sha256",
    ];
    expect(found.trim().split("\n")).toEqual(named.sort());
    expect(await readAttempt(server, manifest.id)).toMatchObject({
      ...{ result: "backed up", job: null },
      logs: [`${manifest.id}-backup-all.log`],
    });
  });

  test("passes its verification, and is a verified one from then on", async () => {
    const { id } = await backUpWell(server);
    const said = await server.agent(["verify"], { server: server.name, backup: id });
    expect(said.stderr).not.toContain("failed");
    expect(verifyResultSchema.parse(JSON.parse(said.stdout)).verification).toMatchObject({
      ...{ result: "passed", restored: true },
    });
    const { stdout } = await server.agent(["observe"]);
    expect(observationSchema.parse(JSON.parse(stdout)).backups).toMatchObject({
      ...{ newest: id, newestVerified: id },
    });
  });

  test("keeps roles without their passwords, readable by the agent alone", async () => {
    await server.sql("postgres", "CREATE ROLE known LOGIN PASSWORD 'never leaves'");
    const { id } = await backUpWell(server);
    const globals = await server.run(["cat", `${repository}/${id}/globals.sql`]);
    expect(globals.stdout).toContain("CREATE ROLE known");
    expect(globals.stdout).not.toMatch(/PASSWORD|SCRAM/);
    const { stdout } = await server.run([
      ...[
        "bash",
        "-c",
        `find ${repository}/${id} -type f -perm /077; stat -c %a ${repository}/${id}`,
      ],
    ]);
    expect(
      stdout
        .trim()
        .split("\n")
        .filter((line) => !line.includes(".dir/")),
    ).toEqual(["700"]);
  });

  test.each(kinds)(
    "of format %s, packed with %s, restores to the manifest's rows",
    async (format, compression) => {
      const name = `${format}-${compression}`;
      await schedule(server, { [name]: { format, compression, databases: ["all"] } as never });
      const manifest = await backUpWell(server, name);
      await restoreDump(server, manifest, "all");
      expect(await rowsOf(server, copy)).toEqual(rowsIn(manifest, "all"));
      expect(await server.sql(copy, "SELECT count(*) FROM pg_largeobject_metadata")).toBe("2");
    },
  );

  test("is of one moment, whatever is written meanwhile, and its rows are those of its dump", async () => {
    await server.createDatabase(
      "busy",
      "CREATE TABLE a (i bigserial, t text DEFAULT repeat('x', 200)); CREATE TABLE b (i bigint); INSERT INTO a (t) SELECT repeat('x', 200) FROM generate_series(1, 300000); INSERT INTO b SELECT i FROM a",
    );
    // Both tables always have as many rows, in every moment.
    const writing = server.sql(
      "busy",
      `DO $$ BEGIN FOR n IN 1..60 LOOP
         WITH added AS (INSERT INTO a (t) SELECT 'new' FROM generate_series(1, 50) RETURNING i) INSERT INTO b SELECT i FROM added;
         COMMIT; PERFORM pg_sleep(0.05);
       END LOOP; END $$`,
    );
    await schedule(server, { busy: { databases: ["busy"] } });
    const manifest = await backUpWell(server, "busy");
    await writing;
    const [a, b] = rowsIn(manifest, "busy").map((line) => Number(line.split("|")[1]));
    expect(a).toBe(b);
    await restoreDump(server, manifest, "busy");
    expect(await rowsOf(server, copy)).toEqual(rowsIn(manifest, "busy"));
    await server.sql("postgres", "DROP DATABASE busy");
  });

  test("has databases of any name", async () => {
    const odd = [
      'with "quotes"',
      "with spaces",
      "a/b\\c",
      "ünïcode.20261122.032900",
      "dbname=x",
      "per%cent",
    ];
    await server.sql(
      "postgres",
      odd
        .map((name) => `CREATE DATABASE "${name.replaceAll('"', '""')}" STRATEGY file_copy;`)
        .join("\n"),
    );
    await server.sql('with "quotes"', "CREATE TABLE t AS SELECT generate_series(1, 3) i");
    await server.sql("postgres", "CREATE DATABASE shop__previous");
    const { result, stderr } = await backUp(server);
    expect(result.succeeded, stderr).toBe(true);
    const manifest = await readManifest(server, result.backup ?? "");
    const names = manifest.databases.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(odd));
    expect(names).not.toContain("shop__previous");
    expect(new Set(manifest.databases.map(({ dump }) => dump)).size).toBe(names.length);
    expect(rowsIn(manifest, 'with "quotes"')).toEqual(["public.t|3"]);
    await restoreDump(server, manifest, 'with "quotes"');
    expect(await rowsOf(server, copy)).toEqual(["public.t|3"]);
    expect(result.text).toContain(`${names.length} databases`);
    const dropped = [...odd, "shop__previous"];
    await server.sql(
      "postgres",
      dropped.map((name) => `DROP DATABASE "${name.replaceAll('"', '""')}";`).join("\n"),
    );
  });

  test("has what somebody put into the database postgres, and leaves it out as long as it is empty", async () => {
    const names = (await backUpWell(server)).databases.map(({ name }) => name);
    expect(names).not.toContain("postgres");
    await server.sql("postgres", "CREATE TABLE stray AS SELECT 1 AS i");
    const manifest = await backUpWell(server);
    expect(rowsIn(manifest, "postgres")).toEqual(["public.stray|1"]);
    await server.sql("postgres", "DROP TABLE stray");
  });

  test("of databases that are named has those alone; one that is not there is told of", async () => {
    await schedule(server, { named: { databases: ["all", "nowhere"] } });
    const { status, result } = await backUp(server, "named");
    expect(status).toBe(1);
    expect(result).toMatchObject({ succeeded: false, name: null });
    expect(result.text).toMatch(
      / {2}cause {5}no database nowhere\n {2}fix {7}the server has .*; correct databases of the job, or remove it to select all databases/,
    );
    expect(await readAttempt(server, result.backup ?? "")).toMatchObject({ result: "failed" });
  });

  test("asked for at once with another one waits for its turn, and both are made", async () => {
    const both = await Promise.all([backUp(server), backUp(server)]);
    expect(both.map(({ result }) => result.succeeded)).toEqual([true, true]);
    expect(new Set(both.map(({ result }) => result.backup)).size).toBe(2);
    expect(both.map(({ stderr }) => stderr).join("")).toMatch(
      /(?:a manual backup, started at .* UTC,|another job) is running; waiting for it/,
    );
    expect((await listRepository(server)).filter((name) => name.includes("partial"))).toEqual([]);
  });
});
