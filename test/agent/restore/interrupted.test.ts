import { Readable } from "node:stream";
import { execa } from "execa";
import { afterEach, describe, expect, test } from "vitest";
import { digest, useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";
import { useLiveDatabase } from "../../support/databases/live-database";
import { processOfTest } from "../../support/programs/process";
import { until } from "../../support/time/until";

const server = useServer();
const former = useLiveDatabase(server);

/** Takes some seconds, so that there is a middle to be interrupted in. */
const slowDump = Buffer.from(
  plainDump(
    `CREATE TABLE public.t (id int);\nCOPY public.t (id) FROM stdin;\n${"1\n".repeat(100_000)}\\.\nSELECT pg_sleep(3600);`,
  ),
);

/** Ends the agent's verb as it runs, but not its main process. */
const killRestore = `for process in /proc/[0-9]*; do
  tr '\\0' ' ' <$process/cmdline | grep -q 'agent.j[s] restore' && kill -9 \${process#/proc/}
done`;

/** Waits until a restore is in the middle of its work. */
async function untilFilling(): Promise<void> {
  const busy =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'live__incoming' AND query ~ 'pg_sleep|REFRESH'";
  const isBusy = async (): Promise<boolean> =>
    (await server.trySql("postgres", busy)).stdout === "1\n";
  await until("a restore at work", isBusy);
}

afterEach(async () => {
  await former.expectUntouched();
});

describe("PostgreSQL is killed in the middle of a restore", () => {
  test("and comes back: the restore fails with the reason and leaves nothing behind", async () => {
    const running = server.restore({ database: "live", dump: slowDump, name: "slow.sql" });
    await untilFilling();
    await server.kill("postgres");
    await server.restart("postgres");
    const { status, stderr, result } = await running;
    expect(status).toBe(1);
    expect(stderr).toMatch(/was not changed: the import of slow\.sql failed/);
    expect(stderr).toMatch(
      /cause {5}08006 .*[^]*fix {7}PostgreSQL stopped or was stopped during the import; run the same command again/,
    );
    expect(result.verdict?.causes, stderr).toHaveLength(1);
  });

  test("an archive too", async () => {
    await server.createDatabase(
      "source",
      `CREATE FUNCTION public.slow() RETURNS boolean LANGUAGE sql AS
         $$ SELECT CASE WHEN current_database() = 'live__incoming' THEN pg_sleep(3600) IS NULL END $$;
       CREATE MATERIALIZED VIEW public.m AS SELECT public.slow()`,
    );
    const archive = await server.dump("source", "-Fc");
    await server.sql("postgres", "DROP DATABASE source");
    const running = server.restore({ database: "live", dump: archive, name: "slow.dump" });
    await untilFilling();
    await server.kill("postgres");
    await server.restart("postgres");
    const { status, stderr } = await running;
    expect(status).toBe(1);
    expect(stderr).toMatch(/was not changed: the import of slow\.dump failed/);
  });

  test("and the next restore succeeds", async () => {
    const { result } = await server.restore({
      database: "other",
      dump: Buffer.from(plainDump("CREATE TABLE public.t (id int);")),
    });
    expect(result.result, result.text).toBe("restored");
  });
});

describe("the agent is killed in the middle of a restore", () => {
  test("its main process clears up after it is started again", async () => {
    const running = server.restore({ database: "live", dump: slowDump }).catch(() => undefined);
    await untilFilling();
    await server.kill("agent");
    await running;
    await server.restart("agent");
    await until("nothing is left of the restore", async () => {
      const roles = "SELECT FROM pg_roles WHERE rolname LIKE 'stagecraft%'";
      const hasCopy = (await server.databases()).includes("live__incoming");
      return !hasCopy && (await server.trySql("postgres", roles)).stdout === "";
    });
  });

  test("or the next restore does, at once", async () => {
    const running = server.restore({ database: "live", dump: slowDump }).catch(() => undefined);
    await untilFilling();
    // Only the restore is killed: the container's main process lives on.
    await server.run(["sh", "-c", killRestore]);
    await running;
    const { result } = await server.restore({
      database: "another",
      dump: Buffer.from(plainDump("CREATE TABLE public.t (id int);")),
    });
    expect(result.result, result.text).toBe("restored");
  });
});

describe("a dump that does not arrive", () => {
  const bytes = Buffer.from(plainDump("CREATE TABLE public.t (id int);"));

  let sendRest = (): void => undefined;
  /** The dump in two parts: the second one when {@link sendRest} is called. */
  async function* halves(): AsyncGenerator<Buffer> {
    const rest = new Promise<void>((resolve) => (sendRest = resolve));
    yield bytes.subarray(0, 100);
    await rest;
    yield bytes.subarray(100);
  }

  test("with another digest, or cut short, is not kept", async () => {
    const file = await server.file(bytes);
    const sha256 = digest(file);
    const cut = await server.agentWith(
      ["receive", sha256, "live", "replace"],
      bytes.subarray(0, 200),
    );
    expect(cut.status).toBe(1);
    expect(cut.stderr).toMatch(
      /^the dump did not arrive complete: its SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}; run pulumi up again\n$/,
    );
    const wrong = await server.agentWith(["receive", "0".repeat(64), "live", "replace"], bytes);
    expect(wrong.status).toBe(1);
    const restored = await server.restoreReceived({
      database: "live",
      source: { name: "dump.sql", sha256 },
    });
    expect(restored.result.text).toMatch(
      /the agent has not received dump\.sql; run pulumi up again/,
    );
    expect((await server.run(["find", "/var/lib/stagecraft/dumps", "-type", "f"])).stdout).toBe("");
  });

  test("because another `up` sends the same at the same time is waited for, and arrives whole", async () => {
    const sha256 = digest(await server.file(bytes));
    const verb = ["receive", sha256, "twice", "replace"];
    const first = processOfTest(
      execa("docker", ["exec", "-i", server.agentContainer, "stagecraft-agent", ...verb], {
        input: Readable.from(halves()),
      }),
    );
    const folder = "/var/lib/stagecraft/dumps";
    const files = async (): Promise<string> =>
      (await server.run(["find", folder, "-type", "f", "-size", "+0"])).stdout;
    await until("the first half", async () => (await files()) !== "");
    const second = server.agentWith(verb, bytes);
    const turns = `SELECT count(*) FROM pg_stat_activity WHERE query ~ 'advisory_lock' AND pid <> pg_backend_pid()`;
    const bothWait = async (): Promise<boolean> => (await server.sql("postgres", turns)) === "2";
    await Promise.race([second, until("both ask for their turn", bothWait)]);
    sendRest();
    expect((await first).stderr).toBe("");
    expect(await second).toMatchObject({
      status: 0,
      stderr: expect.stringContaining("waiting") as string,
    });
    const [file = "", ...more] = (await files()).trim().split("\n");
    expect(more).toEqual([]);
    expect(await server.output(["cat", file])).toEqual(bytes);
    await server.run(["rm", "-r", folder]);
  });

  test("as a tar that is cut short is not kept", async () => {
    const tar = await server.output(["sh", "-c", "tar -C /etc -cf - passwd"]);
    const cut = await server.agentWith(
      ["receive", "1".repeat(64), "live", "replace", "--folder"],
      tar.subarray(0, 700),
    );
    expect(cut.status).toBe(1);
    expect(cut.stderr).toMatch(/the dump did not arrive complete/);
  });
});

test("a restore that is meant for another server is refused, and leaves no report on this one", async () => {
  const report = async (): Promise<string> => (await server.agent(["report"])).stdout;
  const before = await report();
  const source = { name: "dump.sql", sha256: "0".repeat(64) };
  const restore = { kind: "development", restoreId: "x-1", mode: "replace", roles: "leave out" };
  expect(
    await server.agent(["restore"], { server: "production", database: "live", source, ...restore }),
  ).toEqual({
    status: 1,
    stdout: "",
    stderr: `the request is for server production, this is ${server.name}; check the names of the containers\n`,
  });
  expect(await report()).toBe(before);
});
