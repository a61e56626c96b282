import { beforeAll, describe, expect, test } from "vitest";
import { archiveConfig, TestArchive } from "../support/recovery/wal-archive";
import { docker, useServer, type CommandResult } from "../support/servers/server";

/**
 * A superuser of PostgreSQL can write every file of PostgreSQL's volumes and run programs in its container. None of that
 * may run or read anything with what the agent's container has: backups, keys, credentials.
 */
const server = useServer();
const archive = new TestArchive(server);

const data = "/var/lib/postgresql/data/pgdata";
const repository = "/var/lib/pgbackrest";
/** What only the agent may read. */
const secret = "/var/lib/stagecraft/only-the-agent";
const secretText = "the agent's own";
/** What a program that somebody has planted touches, in the container that it runs in. */
const mark = "/tmp/planted";

/** Runs a script in PostgreSQL's container, as its user. */
const asPostgres = async (script: string): Promise<string> =>
  docker("exec", server.postgres, "sh", "-ec", script);

/** Where PostgreSQL's user can read the agent's secret; `""` for nowhere. */
const stolen = async (): Promise<string> =>
  asPostgres(
    `grep -rlF "${secretText}" ${repository} ${data} /run/postgresql --devices=skip 2>/dev/null || true`,
  );

/** That nothing planted has run in the agent's container, and that the agent has all its files. */
async function expectUntouched(): Promise<void> {
  expect((await server.run(["sh", "-c", `ls ${mark}* 2>/dev/null`])).stdout).toBe("");
  expect((await server.run(["cat", secret])).stdout).toBe(secretText);
  expect(await stolen()).toBe("");
}

/** Does something while PostgreSQL's user has done this, and then undoes it. */
async function planted<T>(plant: string, undo: string, work: () => Promise<T>): Promise<T> {
  await asPostgres(plant);
  try {
    return await work();
  } finally {
    await asPostgres(undo);
  }
}

const backUp = async (): Promise<CommandResult> => archive.ask("base-backup", { type: "full" });

beforeAll(async () => {
  await server.createDatabase("shop", "CREATE TABLE notes (id int PRIMARY KEY, note text)");
  await server.run(["sh", "-c", `printf %s "${secretText}" >${secret}`]);
  await archive.switchTo(archiveConfig);
  expect(await backUp()).toMatchObject({ status: 0 });
});

describe("the archive", () => {
  test("with a configuration that names programs: the agent runs none of them", async () => {
    const config = `${repository}/stagecraft/pgbackrest.conf`;
    const program = `${repository}/program`;
    const stanza = await asPostgres(`sed -n 's/^\\[\\(cluster-.*\\)\\]$/\\1/p' ${config}`);
    await planted(
      `printf '#!/bin/sh\\ntouch ${mark}-archive\\nexit 1\\n' >${program}; chmod 700 ${program}
      printf '%s\\n' '[global:info]' repo1-host=other cmd-ssh=${program} '[global:restore]' repo1-host=other cmd-ssh=${program} \\
        '[${stanza}:backup]' pg1-host=other cmd-ssh=${program} >>${config}`,
      `rm ${program}; sed -i '/^\\[global:info\\]/,$d' ${config}`,
      async () => {
        const seen = await archive.observed();
        expect(seen).toMatchObject({ problem: null, windows: [expect.anything()] });
        expect(await backUp()).toMatchObject({ status: 0 });
        await archive.createInstance("latest");
        await archive.removeInstance();
        await expectUntouched();
        // The next `up` corrects the copy that PostgreSQL uses.
        expect(await archive.switchTo(archiveConfig)).toBe(true);
        expect(await archive.switchTo(archiveConfig)).toBe(false);
      },
    );
  });

  test("with a link in place of the agent's folder in it: it is named, and nothing is written through it", async () => {
    const own = `${repository}/stagecraft`;
    const said = await planted(
      `mv ${own} ${repository}/moved; ln -s /var/lib/stagecraft ${own}`,
      `rm ${own}; mv ${repository}/moved ${own}`,
      async () => archive.ask("archive", { archive: { ...archiveConfig, keepFull: 3 } }),
    );
    expect(said.status).toBe(1);
    expect(said.stderr).toContain(`is reached through a symbolic link`);
    expect((await server.run(["ls", "/var/lib/stagecraft"])).stdout).not.toContain("pgbackrest");
    await expectUntouched();
  });

  test("with a link in place of what the archive command reports: it is not shown", async () => {
    const file = "/run/postgresql/stagecraft-archive.said";
    await planted(
      `chmod -R u-w ${repository}/archive`,
      `rm -f ${file}; chmod -R u+w ${repository}/archive`,
      async () => {
        await archive.nextSegment();
        await archive.until(({ failure }) => failure !== null);
        await asPostgres(`ln -sf ${secret} ${file}`);
        const seen = await server.agent(["observe"]);
        expect(seen).toMatchObject({ status: 0 });
        expect(seen.stdout + seen.stderr).not.toContain(secretText);
      },
    );
    await archive.nextSegment();
    await archive.until(({ failure, waiting }) => failure === null && waiting === 0);
    await expectUntouched();
  });
});

describe("a base backup", () => {
  test.each([
    ["a folder", "/var/lib/stagecraft"],
    ["a file", secret],
  ])("takes nothing along that a link leads to: %s", async (_, target) => {
    const plant = `ln -s ${target} ${data}/planted`;
    const said = await planted(plant, `rm ${data}/planted`, backUp);
    await expectUntouched();
    expect(said.stderr + said.stdout).toContain(
      `PostgreSQL's data folder has the symbolic link planted to ${target}`,
    );
  });

  test("that PostgreSQL gets a link into while it runs reads nothing of the agent's", async () => {
    // As often as it takes to be between the look at the links and the copy.
    const swap = `for i in $(seq 400); do ln -sfn ${secret} ${data}/planted; sleep 0.01; rm -f ${data}/planted; sleep 0.01; done`;
    const swapping = asPostgres(swap);
    for (let i = 0; i < 3; i++) await backUp();
    await swapping;
    await expectUntouched();
    expect(await backUp()).toMatchObject({ status: 0 });
  });
});

describe("the recovery instance", () => {
  test("runs no program that the server's parameters name, and reads none of its files", async () => {
    const program = `touch ${mark}-instance; false`;
    const names = ["restore_command", "archive_cleanup_command", "recovery_end_command"];
    for (const name of [...names, "ssl_passphrase_command"])
      await server.sql("postgres", `ALTER SYSTEM SET ${name} = '${program}'`);
    await server.sql("postgres", "ALTER SYSTEM SET local_preload_libraries = 'planted'");
    await asPostgres(`cp ${data}/pg_hba.conf ${data}/kept; echo "include planted" >>${data}/pg_ident.conf
      printf '%s\\n' "archive_command = '${program}'" "shared_preload_libraries = 'planted'" >>${data}/postgresql.conf`);
    try {
      expect(await backUp()).toMatchObject({ status: 0 });
      await archive.createInstance("latest");
      expect(await archive.instanceSql("shop", "SELECT count(*) FROM notes")).toBe("0");
      await archive.removeInstance();
    } finally {
      await asPostgres(
        `sed -i /planted/d ${data}/postgresql.conf ${data}/pg_ident.conf; rm ${data}/kept`,
      );
      await server.sql("postgres", "ALTER SYSTEM RESET ALL");
      await server.sql("postgres", "SELECT pg_reload_conf()");
    }
    await expectUntouched();
  });

  test("whose own functions were replaced reaches nothing of the agent's", async () => {
    const original = await server.sql(
      "shop",
      "SELECT prosrc FROM pg_proc WHERE oid = 'pg_catalog.pg_table_size'::regproc",
    );
    // What the agent calls there, as a superuser.
    const replace = (name: string): string => `
      CREATE OR REPLACE FUNCTION pg_catalog.${name}(${name === "pg_database_size" ? "oid" : "regclass"}) RETURNS bigint VOLATILE STRICT LANGUAGE plpgsql AS $f$ BEGIN
        BEGIN COPY (SELECT 1) TO PROGRAM 'touch ${mark}-function; cat ${secret} /var/lib/stagecraft/signing-key.pem >${repository}/stolen; rm ${secret}'; EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN COPY (SELECT pg_read_file('${secret}')) TO '${repository}/stolen'; EXCEPTION WHEN OTHERS THEN NULL; END;
        RETURN 1; END $f$`;
    await server.sql("postgres", replace("pg_database_size"));
    await server.sql("shop", replace("pg_table_size"));
    await asPostgres(`rm -f ${repository}/stolen ${mark}-function`);
    await archive.createInstance("latest");
    const copy = { database: "shop", schema: "public", table: "notes" };
    const said = await archive.ask("side-copy-table", {
      ...{ ...copy, toSchema: "public", toTable: "notes_copy" },
    });
    expect(said.status, said.stderr).toBe(0);
    await expectUntouched();
    await archive.removeInstance();
    for (const [database, name, source] of [
      ["postgres", "pg_database_size(oid)", "pg_database_size_oid"],
      ["shop", "pg_table_size(regclass)", original],
    ] as const)
      await server.sql(
        database,
        `CREATE OR REPLACE FUNCTION pg_catalog.${name} RETURNS bigint VOLATILE STRICT LANGUAGE internal AS '${source}'`,
      );
  });

  test("does not follow what the archived WAL says into PostgreSQL's own volume", async () => {
    const folder = "/var/lib/postgresql/data/space";
    await asPostgres(`mkdir -m 700 ${folder}`);
    await server.sql("postgres", `CREATE TABLESPACE space LOCATION '${folder}'`);
    await server.sql("shop", "CREATE TABLE spaced TABLESPACE space AS SELECT 1 AS id");
    const before = await asPostgres(`ls -lR --time-style=full-iso ${folder}`);
    const said = await archive.requestInstance("latest");
    expect(await asPostgres(`ls -lR --time-style=full-iso ${folder}`)).toBe(before);
    // It fails instead; with a base backup from after the tablespace was created it works.
    expect(said.status).toBe(1);
    expect(await backUp()).toMatchObject({ status: 0 });
    await archive.createInstance("latest");
    expect(await archive.instanceSql("shop", "SELECT count(*) FROM spaced")).toBe("1");
    await archive.removeInstance();
    await server.sql("shop", "DROP TABLE spaced");
    await server.sql("postgres", "DROP TABLESPACE space");
    await asPostgres(`rmdir ${folder}`);
    await expectUntouched();
  });
});

describe("in PostgreSQL's data folder the agent follows no link", () => {
  const tls = async (...more: string[]): Promise<CommandResult> =>
    archive.ask("tls", { names: [server.postgres, "localhost", ...more] });
  const settings = async (work_mem: string): Promise<CommandResult> =>
    archive.ask("settings", { settings: { work_mem } });

  test("in place of the folder of certificates", async () => {
    expect(await tls()).toMatchObject({ status: 0 });
    const said = await planted(
      `mv ${data}/tls ${data}/moved; ln -s /var/lib/stagecraft ${data}/tls`,
      `rm ${data}/tls; mv ${data}/moved ${data}/tls`,
      async () => tls("other"),
    );
    await expectUntouched();
    expect(said.status).toBe(1);
    expect(said.stderr).toContain(`${data}/tls is reached through a symbolic link`);
    expect(await tls()).toMatchObject({ status: 0 });
  });

  test("in place of a configuration file", async () => {
    for (const [name, ask] of [
      ["stagecraft-tls.conf", async () => tls("another")],
      ["stagecraft.conf", async () => settings("6MB")],
      ["postgresql.conf", async () => settings("7MB")],
    ] as const) {
      expect(await ask()).toMatchObject({ status: 0 });
      const file = `${data}/${name}`;
      const said = await planted(
        `mv ${file} ${file}.moved; ln -s ${secret} ${file}`,
        `rm -f ${file}; mv ${file}.moved ${file}`,
        async () => (name === "stagecraft-tls.conf" ? tls("third") : settings("8MB")),
      );
      await expectUntouched();
      expect(said).toMatchObject({ status: 1 });
      expect(said.stderr).toContain(`${name} is not a regular file`);
    }
    expect(await tls()).toMatchObject({ status: 0 });
    expect(await settings("9MB")).toMatchObject({ status: 0 });
  });

  test("in place of the access rules, of the rules before them, or of the candidate", async () => {
    const rules = await asPostgres(`cat ${data}/pg_hba.conf`);
    const ask = async (): Promise<CommandResult> =>
      archive.ask("pg-hba", { text: `${rules}\n`, required: [] });
    for (const name of ["pg_hba.conf.proven", "pg_hba.conf"]) {
      await planted(
        `cp ${data}/pg_hba.conf ${data}/before; ln -sf ${secret} ${data}/${name}`,
        `rm -f ${data}/${name}; mv ${data}/before ${data}/pg_hba.conf`,
        async () => {
          const said = await ask();
          const seen = await server.agent(["observe"]);
          expect(seen.stdout + seen.stderr).not.toContain(secretText);
          await expectUntouched();
          expect(said).toMatchObject({ status: 1 });
          expect(said.stderr).toContain(`${name} is not a regular file`);
        },
      );
    }
    await asPostgres(`ln -sf ${secret} ${data}/pg_hba.conf.candidate`);
    expect(await ask()).toMatchObject({ status: 0 });
    await expectUntouched();
  });

  test("in place of the folder itself", async () => {
    const [said, seen] = await planted(
      `mv ${data} ${data}.moved; ln -s ${data}.moved ${data}`,
      `rm ${data}; mv ${data}.moved ${data}`,
      async () => [await settings("10MB"), await tls("fourth")] as const,
    );
    for (const { status, stderr } of [said, seen]) {
      expect(status).toBe(1);
      expect(stderr).toContain("is reached through a symbolic link");
    }
    await expectUntouched();
  });
});
