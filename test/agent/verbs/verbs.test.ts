import { beforeAll, describe, expect, test } from "vitest";
import { observationSchema } from "../../../model/observation/observation";
import { databasesResultSchema, type RestoreResult } from "../../../model/restore/protocol";
import { docker, useServer } from "../../support/servers/server";
import { plainDump } from "../../support/databases/shop";
import { polling } from "../../support/time/limit.mjs";

const server = useServer({ healthInterval: "5s" });
const dump = Buffer.from(
  plainDump("CREATE TABLE public.t (id int);\nCOPY public.t (id) FROM stdin;\n1\n\\.\n"),
);

describe("what the agent tells", () => {
  let result: RestoreResult;
  beforeAll(async () => {
    const name = "pg_dump.production.told.20261115.032900.sql";
    ({ result } = await server.restore({ database: "told", dump, name }));
    expect(result.result, result.text).toBe("restored");
  });

  test("databases and observe tell of a restored database, its stamp and the restore", async () => {
    const { databases } = databasesResultSchema.parse(
      JSON.parse((await server.agent(["databases"])).stdout),
    );
    const [told] = databases;
    expect(told).toMatchObject({
      name: "told",
      owner: "told_owner",
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
    const nonsense = Buffer.from("nonsense");
    const { result: failed } = await server.restore({ database: "told", dump: nonsense });
    const observation = observationSchema.parse(
      JSON.parse((await server.agent(["observe"])).stdout),
    );
    expect(observation.lastRestore).toEqual(failed);
    expect(observation.generation).toBe(1);
  });

  test("what nobody foresaw is told of with the lines of the sources it comes from", async () => {
    const state = "/var/lib/stagecraft/state.json";
    const write = (file: string, text: string) => server.run(["tee", file], Buffer.from(text));
    const kept = (await server.output(["cat", state])).toString();
    await write(state, "{");
    const { status, stdout, stderr } = await server.agent(["observe"]);
    await write(state, kept);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^unexpected: SyntaxError: .*JSON/);
    expect(stderr).toMatch(
      / at \S*readGeneration \(\S*agent\/system\/restore-generation\.ts:\d+:\d+\)/,
    );
    expect((await server.agent(["observe"])).status).toBe(0);
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
      stderr: `there is no log ../state.json; list them with: npx stagecraft log ${server.name} --list\n`,
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
    await expect.poll(health, polling).toBe("healthy\nhealthy");
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
    [["restore"], "null", /^the request does not fit this agent:\n✖ .*\n$/],
    [["roles"], `{"server":"other"}`, /^the request is for server other, this is .*\n$/],
    [
      ["roles"],
      `{"server":"<this>","databases":[{"name":"","application":"secret"}],"more":1}`,
      /^the request does not fit this agent:\n(?:(?!secret)[^])*more(?:(?!secret)[^])*$/,
    ],
    [
      ["receive", "../../state", "told", "replace"],
      "",
      /^the request does not fit this agent:\n✖ must be a SHA-256/,
    ],
    [["receive", "0".repeat(64), "told", "overwrite"], "", /"replace"\|"when-missing"/],
    [["receive"], "", /^usage: stagecraft-agent receive <sha256> <database> <mode> \[folder\]\n$/],
  ])("%j %s", async (verb, stdin, text) => {
    const said = await server.agentWith(verb, Buffer.from(stdin.replace("<this>", server.name)));
    expect(said).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(text) as string,
    });
  });
});
