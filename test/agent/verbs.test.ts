import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { observationSchema } from "../../model/observation";
import { databasesResultSchema } from "../../model/protocol";
import { docker, useServer } from "../support/server";
import { plainDump } from "./fixtures";

const server = useServer();
const dump = Buffer.from(
  plainDump("CREATE TABLE public.t (id int);\nCOPY public.t (id) FROM stdin;\n1\n\\.\n"),
);

const password = `p4ss ${Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("")}`;
const roles = { server: server.name, roles: [{ name: 'Login\'s "role"', password }] };

/** Tries to log in over the network. */
const logIn = async (user: string, secret: string, database = "postgres"): Promise<string> => {
  // The password goes by stdin, as no secret may be in a list of processes.
  const script =
    'IFS= read -r PGPASSWORD; export PGPASSWORD; psql -qAtX -h "$1" -U "$2" -d "$3" -c "SELECT current_user" 2>&1';
  return (
    await server.run(
      ["bash", "-c", script, "-", server.postgres, user, database],
      Buffer.from(`${secret}\n`),
    )
  ).stdout;
};

describe("roles", () => {
  test("are made once, with a password of any printable characters that works over the network", async () => {
    const first = await server.agent(["roles"], roles);
    expect(JSON.parse(first.stdout)).toEqual({ created: ['Login\'s "role"'], changed: [] });
    const again = await server.agent(["roles"], roles);
    expect(JSON.parse(again.stdout)).toEqual({ created: [], changed: [] });
    expect(await logIn('Login\'s "role"', password)).toBe('Login\'s "role"\n');
    expect(await logIn('Login\'s "role"', `${password}x`)).toMatch(
      /password authentication failed/,
    );
    expect(await logIn('Login\'s "role"', "")).toMatch(
      /no password supplied|password authentication failed/,
    );
  });

  test("get a changed password, and the old one ends", async () => {
    const changed = {
      server: server.name,
      roles: [{ name: 'Login\'s "role"', password: "ünïcode" }],
    };
    expect(JSON.parse((await server.agent(["roles"], changed)).stdout)).toEqual({
      created: [],
      changed: ['Login\'s "role"'],
    });
    expect(await logIn('Login\'s "role"', "ünïcode")).toBe('Login\'s "role"\n');
    expect(await logIn('Login\'s "role"', password)).toMatch(/password authentication failed/);
    await server.agent(["roles"], roles);
  });

  test("never include the superuser, who cannot come in over the network", async () => {
    const said = await server.agent(["roles"], {
      server: server.name,
      roles: [{ name: "postgres", password }],
    });
    expect(said).toMatchObject({ status: 1, stdout: "" });
    expect(said.stderr).toMatch(/^postgres must stay without a password/);
    expect(
      await server.sql(
        "postgres",
        "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'postgres'",
      ),
    ).toBe("t");
    expect(await logIn("postgres", password)).toMatch(/pg_hba\.conf rejects connection/);
  });

  test("of another server are refused", async () => {
    const said = await server.agent(["roles"], { ...roles, server: "production" });
    expect(said.stderr).toMatch(/^the request is for server production, this is sct-/);
  });

  test("leave their passwords nowhere but in PostgreSQL, as a verifier", async () => {
    const places = [
      await docker("inspect", server.postgres, server.agentContainer),
      await docker("logs", server.postgres),
      await docker("logs", server.agentContainer),
      await docker("top", server.agentContainer),
      (
        await server.run([
          "sh",
          "-c",
          "cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; grep -r . /var/lib/stagecraft /tmp",
        ])
      ).stdout,
      await server.sql(
        "postgres",
        "SELECT query FROM pg_stat_activity; SELECT rolpassword FROM pg_authid",
      ),
    ];
    for (const text of places) expect(text).not.toMatch(/p4ss|ünïcode/);
    expect(places.at(-1)).toContain("SCRAM-SHA-256$4096:");
  });
});

describe("what the agent tells", () => {
  test("databases and observe tell of a restored database, its stamp and the restore", async () => {
    const { result } = await server.restore({
      database: "told",
      dump,
      name: "pg_dump.production.told.20261115.032900.sql",
    });
    expect(result.result, result.text).toBe("restored");
    const { databases } = databasesResultSchema.parse(
      JSON.parse((await server.agent(["databases"])).stdout),
    );
    const [told] = databases;
    expect(told).toMatchObject({
      name: "told",
      owner: "app",
      encoding: "UTF8",
      locale: "C.UTF-8",
      connections: 0,
    });
    expect(told?.stamp).toMatchObject({
      server: server.name,
      restoreId: result.restoreId,
      source: result.source,
      outcome: "passed",
    });
    const observation = observationSchema.parse(
      JSON.parse((await server.agent(["observe"])).stdout),
    );
    expect(observation).toMatchObject({
      server: server.name,
      postgresVersion: expect.stringMatching(/^17\./) as string,
      generation: 1,
      databases,
    });
    expect(observation.lastRestore).toEqual(result);
    expect(observation.freeBytes).toBeGreaterThan(2 ** 20);
  });

  test("observe tells of a restore that failed, and the generation stays", async () => {
    const { result } = await server.restore({ database: "told", dump: Buffer.from("nonsense") });
    const observation = observationSchema.parse(
      JSON.parse((await server.agent(["observe"])).stdout),
    );
    expect(observation.lastRestore).toEqual(result);
    expect(observation.generation).toBe(1);
  });

  test("logs and log give the full log of a restore", async () => {
    const broken = Buffer.from(plainDump("CREATE TABLE public.t (id nosuchtype);"));
    const { result, stderr } = await server.restore({
      database: "told",
      dump: broken,
      name: "broken.sql",
    });
    expect(stderr).toContain(`log       npx stagecraft log ${server.name} ${result.log ?? ""}`);
    const names = JSON.parse((await server.agent(["logs"])).stdout) as string[];
    expect(names.at(-1)).toBe(result.log);
    const newest = await server.agent(["log"]);
    expect(newest.stdout).toMatch(
      /^restore of broken\.sql [^]*cause .*42704 {2}type "nosuchtype" does not exist[^]*verdict: failed/,
    );
    expect((await server.agent(["log", result.log ?? ""])).stdout).toBe(newest.stdout);
    const none = await server.agent(["log", "../state.json"]);
    expect(none).toMatchObject({
      status: 1,
      stdout: "",
      stderr: "there is no log ../state.json; list them with: logs\n",
    });
  });

  test("docker shows both containers as healthy", async () => {
    const health = async (): Promise<string> =>
      docker(
        "inspect",
        "--format",
        "{{.State.Health.Status}}",
        server.postgres,
        server.agentContainer,
      );
    for (let i = 0; i < 60 && (await health()) !== "healthy\nhealthy"; i++) await sleep(500);
    expect(await health()).toBe("healthy\nhealthy");
    expect(await server.agent(["health"])).toMatchObject({ status: 0 });
  });
});

describe("a request that makes no sense gets one clear error", () => {
  test.each([
    [["rstore"], "{}", /^unknown verb "rstore"; it is one of: serve, .*\n$/],
    [["toString"], "{}", /^unknown verb "toString"/],
    [["restore"], "", /^the request is not JSON: .*\n$/],
    [["restore"], "{", /^the request is not JSON: .*\n$/],
    [["restore"], "[]", /^the request does not fit this agent:\n✖ .*\n$/],
    [
      ["roles"],
      `{"server":"x","roles":[{"name":"","password":"secret"}],"more":1}`,
      /^the request does not fit this agent:\n(?:(?!secret)[^])*more(?:(?!secret)[^])*$/,
    ],
    [
      ["receive", "../../state", "told", "replace"],
      "",
      /^the request does not fit this agent:\n✖ must be a SHA-256/,
    ],
    [["receive", "0".repeat(64), "told", "overwrite"], "", /"replace"\|"when-missing"/],
    [["receive"], "", /^the request does not fit this agent:/],
  ])("%j %s", async (verb, stdin, text) => {
    const said = await server.agentWith(verb, Buffer.from(stdin));
    expect(said).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(text) as string,
    });
  });
});
