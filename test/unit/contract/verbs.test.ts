import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Adapter } from "../../../agent/call";
import type { Verb } from "../../../contract/verb";
import { verbs } from "../../../contract/verbs";
import { areas } from "../../../model/observation/observation";
import { bundleProgram } from "../../support/programs/bundle";
import { checkout } from "../../support/files/checkout";

const table = Object.entries<Verb>(verbs);
const named = (choice: (verb: Verb) => boolean): string[] =>
  table.filter(([, verb]) => choice(verb)).map(([name]) => name);
const adapters = readdirSync(join(checkout, "agent", "verbs")).map((file) =>
  file.replace(/\.ts$/, ""),
);

describe("the contract of the agent", () => {
  test("has an adapter for every verb, and no adapter without one", () => {
    expect([...adapters].sort()).toEqual(table.map(([name]) => name).sort());
  });

  test.each(adapters)("the adapter of %s is that of its file's name", async (name) => {
    const loaded = (await import(`../../../agent/verbs/${name}.ts`)) as { default: Adapter };
    expect(loaded.default.verb).toBe(name);
  });

  test.each(named(({ kind }) => kind === "json"))("%s answers with a schema", async (name) => {
    const { answer }: Verb = verbs[name as keyof typeof verbs];
    expect((await answer?.())?.safeParse(Symbol("none")).success).toBe(false);
  });

  test("only a verb that answers with JSON has a schema of the answer", () => {
    expect(named(({ kind, answer }) => kind !== "json" && answer !== undefined)).toEqual([]);
  });

  test("every area is applied by a verb, and what is applied comes by a request", () => {
    const applied = table.flatMap(([, { area }]) => area ?? []);
    expect([...new Set(applied)].sort()).toEqual([...areas].sort());
    expect(named(({ area, request }) => area !== undefined && request === undefined)).toEqual([]);
    // Their argument is the generation.
    expect(named(({ area, arguments: names }) => area !== undefined && !!names)).toEqual([]);
  });

  test("every call of the agent in a shell script is one of a verb", () => {
    const scripts = ["components", "engine", "images", "tools", "test"].flatMap((folder) =>
      readdirSync(join(checkout, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".sh") && !file.includes("node_modules"))
        .map((file) => join(checkout, folder, file)),
    );
    const called = scripts.flatMap((file) =>
      [
        ...readFileSync(file, "utf8").matchAll(/(?:stagecraft-agent|call_agent) ([a-z][\w-]*)/g),
      ].map(([, verb]) => verb),
    );
    expect(called).toContain("application-health");
    expect(called.filter((verb) => !adapters.includes(verb ?? ""))).toEqual([]);
  });

  test("what an old state calls when it is deleted is there", () => {
    expect(Object.keys(verbs)).toContain("application-forget");
  });
});

describe("the agent", () => {
  let home = "";
  let program = "";
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "stagecraft-agent-"));
    program = join(home, "agent.js");
    writeFileSync(program, await bundleProgram({ file: "agent/main.ts" }));
  });
  afterAll(() => {
    rmSync(home, { recursive: true, force: true });
  });

  const call = async (words: readonly string[], stdin: string) => {
    const env = { ...process.env, STAGECRAFT_SERVER: "staging", STAGECRAFT_HOME: home };
    const child = spawn(process.execPath, [program, ...words], { env });
    child.stdin.on("error", () => undefined).end(stdin);
    const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { status: await closed, stdout, stderr };
  };

  test.concurrent.each(named(({ request }) => request !== undefined))(
    "rejects a request of %s for another server, whatever it asks for",
    async (name) => {
      const { arguments: words = [], body }: Verb = verbs[name as keyof typeof verbs];
      const log = body === undefined ? "" : "\n2026-11-21T03:29:00Z a line of the log\n";
      expect(await call([name, ...words], `{"server":"prod"}${log}`)).toEqual({
        status: 1,
        stdout: "",
        stderr:
          "the request is for server prod, this is staging; check the names of the containers\n",
      });
    },
  );

  test("rejects a request that does not fit, with everything that does not", async () => {
    expect(await call(["offsite"], '{"server":"staging","off":1}')).toEqual({
      status: 1,
      stdout: "",
      stderr:
        'the request does not fit this agent:\n✖ Unrecognized key: "off"\n' +
        "✖ Invalid input: expected string, received undefined\n  → at of\n",
    });
    expect((await call(["offsite"], "of")).stderr).toMatch(/^the request is not JSON: /);
  });

  test("shows the usage of a verb that lacks an argument, and the verbs for an unknown one", async () => {
    expect(await call(["receive", "4711"], "")).toMatchObject({
      status: 1,
      stderr: "usage: stagecraft-agent receive <sha256> <database> <mode> [folder]\n",
    });
    expect((await call(["restor"], "")).stderr).toMatch(
      /^unknown verb "restor"; it is one of: serve, scratch, observe, .*, log\n$/,
    );
  });

  test("records the generation of what it has applied, where it is given one", async () => {
    const request = JSON.stringify({ server: "staging", revision: "4f2c9e1" });
    const recorded = join(home, "generations", "application");
    expect(await call(["application"], request)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(existsSync(recorded)).toBe(false);
    expect(await call(["application", "7"], request)).toMatchObject({ status: 0 });
    expect(readFileSync(recorded, "utf8")).toBe("7");
    // One that fails is not recorded.
    expect(await call(["application", "8"], '{"server":"staging"}')).toMatchObject({ status: 1 });
    expect(readFileSync(recorded, "utf8")).toBe("7");
  });

  test.each(["logs", "report", "side"] as const)(
    "%s answers as the contract says",
    async (name) => {
      const { status, stdout } = await call([name], "");
      expect(status).toBe(0);
      const answer = await verbs[name].answer();
      expect(answer.safeParse(JSON.parse(stdout)).error).toBeUndefined();
    },
  );
});
