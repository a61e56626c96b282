import { describe, expect, test } from "vitest";
import type { ScratchOutput } from "../../../agent/postgres/scratch-cluster";
import { runInAgent } from "../../support/programs/agent-function";
import { useServer } from "../../support/servers/server";

const server = useServer();
const folder = "/var/lib/stagecraft/scratch";
const functions = { runOnScratchCluster: "agent/postgres/scratch-cluster.ts" };

/** The answers of so many calls at once. */
async function scratch(args: readonly string[], sql: string, calls = 1): Promise<ScratchOutput[]> {
  const call = `runOnScratchCluster(${JSON.stringify(args)}, ${JSON.stringify(sql)})`;
  const all = `Promise.all(Array.from({ length: ${calls} }, () => ${call}))`;
  const said = await runInAgent(server, functions, `console.log(JSON.stringify(await ${all}))`);
  expect(said.stderr).toBe("");
  return JSON.parse(said.stdout) as ScratchOutput[];
}

async function clusters(): Promise<string[]> {
  return (await server.run(["ls", folder])).stdout.trimEnd().split("\n");
}

describe("the scratch server", () => {
  test("is of the server's own version, and says what its statements copy out", async () => {
    const version = await server.sql("postgres", "SHOW server_version");
    const sql = "SET work_mem = '1MB';\nCOPY (SELECT current_setting('server_version')) TO STDOUT;";
    expect(await scratch([], sql)).toEqual([{ status: 0, stdout: `${version}\n`, stderr: "" }]);
  });

  test("is made once, and used again", async () => {
    await scratch([], "SELECT 1");
    const before = await clusters();
    expect(before).toHaveLength(1);
    await scratch([], "SELECT 1");
    expect(await clusters()).toEqual(before);
  });

  test("answers several at once and leaves one cluster", async () => {
    const answers = await scratch([], "COPY (SELECT 1) TO STDOUT", 3);
    expect(answers.map(({ stdout }) => stdout)).toEqual(["1\n", "1\n", "1\n"]);
    expect(await clusters()).toHaveLength(1);
  });

  test("tells why a statement fails, or PostgreSQL does not start", async () => {
    const [failed] = await scratch([], "SELECT 1/0");
    expect(failed).toMatchObject({ status: 0, stdout: "" });
    expect(failed?.stderr).toContain("ERROR:  division by zero");
    const [refused] = await scratch(["-c", "work_mem=much"], "SELECT 1");
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused?.stderr).toContain('invalid value for parameter "work_mem": "much"');
  });

  test("is never the real one, whatever a file says", async () => {
    await server.run(
      ["sh", "-c", "cat >/tmp/candidate.conf"],
      Buffer.from("data_directory = '/var/lib/postgresql/data/pgdata'\n"),
    );
    const [answer] = await scratch(
      ["-c", "config_file=/tmp/candidate.conf"],
      "COPY (SELECT current_setting('data_directory')) TO STDOUT",
    );
    expect(answer?.stdout).toContain(`${folder}/`);
  });

  test("is made anew when an agent was killed with it, and what that left is removed", async () => {
    await scratch([], "SELECT 1");
    const [waiting = ""] = await clusters();
    const sleeping = 'runOnScratchCluster([], "SELECT pg_sleep(7200)")';
    // Killed when PostgreSQL has the cluster under a name of its own.
    const kill = `setInterval(() => {
        const names = require("node:fs").readdirSync(${JSON.stringify(folder)});
        const isUsed = names.some((name) => name.startsWith(${JSON.stringify(`${waiting}.`)}) &&
          require("node:fs").existsSync(${JSON.stringify(folder)} + "/" + name + "/postmaster.pid"));
        if (isUsed) process.kill(process.pid, "SIGKILL");
      }, 20);
      await ${sleeping};`;
    expect((await runInAgent(server, functions, kill)).status).toBe(137);
    const [left = "", ...others] = await clusters();
    expect(others).toEqual([]);
    expect(left.startsWith(`${waiting}.`)).toBe(true);
    await server.run(["touch", "-d", "1 hour ago", `${folder}/${left}`]);
    await server.run(["mkdir", `${folder}/16.1-of-another-start`]);
    await scratch([], "SELECT 1");
    expect(await clusters()).toEqual([waiting]);
  });
});
