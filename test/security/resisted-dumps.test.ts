import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { useLiveDatabase } from "../support/databases/live-database";
import { plainDump } from "../support/databases/shop";
import { docker, useServer } from "../support/servers/server";

const server = useServer();
const former = useLiveDatabase(server);

/** Memory of the agent in these tests, in MB: less than what the dumps below unpack to. */
const agentMemory = 400;

const sessions = "FROM pg_stat_activity WHERE usename = 'postgres' AND datname IS NOT NULL";
const hidden = (sql: string): string => `DO $x$ BEGIN EXECUTE $y$${sql}$y$; END $x$;`;

describe("a dump that wants more than its own database is refused by PostgreSQL, and nothing is changed:", () => {
  test.each([
    [hidden("CREATE ROLE mine SUPERUSER LOGIN"), "permission denied to create role"],
    [hidden("ALTER ROLE live SUPERUSER"), "permission denied to alter role"],
    [hidden("ALTER ROLE postgres PASSWORD 'mine'"), "permission denied to alter role"],
    [hidden("GRANT postgres TO live"), 'permission denied to grant role "postgres"'],
    [hidden("GRANT live_owner TO live"), 'permission denied to grant role "live_owner"'],
    [hidden("SET ROLE postgres"), 'permission denied to set role "postgres"'],
    [
      hidden("SET SESSION AUTHORIZATION postgres"),
      "permission denied to set session authorization",
    ],
    [hidden("ALTER DATABASE live SET work_mem = '1GB'"), "must be owner of database live"],
    [hidden("COMMENT ON DATABASE live IS 'mine'"), "must be owner of database live"],
    [
      hidden("COPY (SELECT 1) TO PROGRAM 'cat'"),
      "permission denied to COPY to or from an external program",
    ],
    ["ALTER SYSTEM SET work_mem = '1GB';", 'permission denied to set parameter "work_mem"'],
    ["COPY (SELECT 1) TO '/tmp/mine';", "permission denied to COPY to a file"],
    ["SELECT pg_read_file('/etc/hostname');", "permission denied for function pg_read_file"],
    [`SELECT pg_terminate_backend(pid) ${sessions};`, "permission denied to terminate process"],
    ["SELECT pg_reload_conf();", "permission denied for function pg_reload_conf"],
    [
      "CREATE FUNCTION public.mine() RETURNS int LANGUAGE c AS 'mine', 'mine';",
      "permission denied for language c",
    ],
  ])("%s", async (sql, text) => {
    const dump = Buffer.from(plainDump(sql));
    await former.expectRefused(dump, "dump.sql", new RegExp(`42501 {2}${text}`));
  });
});

test("the superuser owns nothing of a dump that names it, whichever roles are created", async () => {
  const dump = `CREATE TABLE public.t (id int);
    ALTER TABLE public.t OWNER TO postgres;
    CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
    ALTER FUNCTION public.f() OWNER TO postgres;
    CREATE TABLE public.u (id int);
    ALTER TABLE public.u OWNER TO live;`;
  for (const roles of ["leave out", "create without login"] as const) {
    const contents = Buffer.from(plainDump(`${dump}\n-- ${roles}`));
    const { result } = await server.restore({ database: "owned", dump: contents, roles });
    expect(result.result, result.text).toBe("restored");
    const owners = `SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relname IN ('t', 'u')
      UNION SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'f'`;
    expect(await server.sql("owned", owners)).toBe("owned_owner");
  }
});

describe("a small dump that unpacks to more than the agent's memory", () => {
  const started = async (): Promise<string> =>
    docker("inspect", "--format", "{{.State.StartedAt}}", server.agentContainer);

  beforeAll(async () => {
    const memory = ["--memory", `${agentMemory}m`, "--memory-swap", `${agentMemory}m`];
    await docker("update", ...memory, server.agentContainer);
  });

  /** A packed dump with a text of many megabytes in one statement; few bytes, as it is the same again and again. */
  function bomb(megabytes: number): Buffer {
    const [head = "", tail = ""] = plainDump("SELECT 'x';").split("x");
    const text = gzipSync(Buffer.alloc(2 ** 20, "x"));
    return Buffer.concat([gzipSync(head), ...Array<Buffer>(megabytes).fill(text), gzipSync(tail)]);
  }

  test("is restored when it fits", async () => {
    const { result } = await server.restore({ database: "small", dump: bomb(8) });
    expect(result.result, result.text).toBe("restored");
  });

  test("ends the process of its restore alone; the live database stays, and the next restore works", async () => {
    const before = await started();
    const dump = bomb(3 * agentMemory);
    expect(dump.length).toBeLessThan(3_000_000);
    const received = await server.receive(await server.file(dump), { database: "live" });
    const said = await server.agent(["restore"], {
      ...{ server: server.name, kind: "development", database: "live", mode: "replace" },
      ...{
        roles: "leave out",
        restoreId: "bomb",
        source: { name: "a.gz", sha256: received.sha256 },
      },
    });
    expect(said.status).not.toBe(0);
    expect(said.stdout).not.toContain('"result":"restored"');
    expect(await started()).toBe(before);
    expect(await server.sql("live", "SELECT count(*) FROM public.former")).toBe("7");
    const next = Buffer.from(plainDump("CREATE TABLE public.next (id int);"));
    const { result } = await server.restore({ database: "next", dump: next });
    expect(result.result, result.text).toBe("restored");
    await former.expectUntouched();
  });

  test.each([
    ["xz with a dictionary of 256 MiB", "xz --lzma2=preset=0,dict=256MiB -c"],
    ["zstd with a window of 2 GiB", "cat > /tmp/packed.sql; zstd --long=31 -c /tmp/packed.sql"],
    ["zstd with a window of 2 GiB, as a stream", "zstd --long=31 -c"],
  ])("as %s is restored", async (name, program) => {
    const plain = Buffer.from(plainDump(`CREATE TABLE public.t (id int); -- ${name}`));
    const dump = await server.output(["bash", "-c", program], plain);
    const { result } = await server.restore({ database: "packed", dump });
    expect(result.result, result.text).toBe("restored");
  });
});
