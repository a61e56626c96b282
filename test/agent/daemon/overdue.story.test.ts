import { describe, expect, test } from "vitest";
import { observationSchema } from "../../../model/observation/observation";
import { formatBackupId } from "../../../model/base/names";
import { writeScriptedBackup } from "../../support/backups/scripted-backup";
import { readMetrics } from "../../support/servers/metrics";
import { docker, useServer } from "../../support/servers/server";
import { useWebhook } from "../../support/servers/webhook";
import { holdSession } from "../../support/databases/held-session";
import { runInAgent } from "../../support/programs/agent-function";
import { polling } from "../../support/time/limit.mjs";
import { until } from "../../support/time/until";

const server = useServer();

const hook = useWebhook();
const { told } = hook;

/** A job that should have run at the beginning of the year, on a server that is older than that. */
async function promise(
  jobs: object = { yearly: { schedule: "0 0 1 1 *", missed: "wait" } },
): Promise<void> {
  const webhook = await hook.addressFor(server);
  const request = {
    ...{ server: server.name, maintenance: {}, keep: {}, pins: [], alerts: { webhook } },
    jobs,
  };
  expect(await server.agent(["backups-schedule"], request)).toMatchObject({ status: 0 });
  await server.run(["touch", "-d", "400 days ago", "/var/lib/stagecraft/backups.json"]);
}

/** The agent looks at its start, and then once a minute. */
async function startAgain(): Promise<void> {
  await docker("restart", "--time", "5", server.agentContainer);
  await until("the agent's heartbeat", async () => {
    const { status } = await server.run(["ls", "/tmp/stagecraft-heartbeat"]);
    return status === 0;
  });
}

/** Starts the agent again, and has it look once more when that is certain to be over. */
async function lookAgain(): Promise<void> {
  await startAgain();
  const functions = { checkOverdueBackups: "agent/daemon/check-overdue.ts" };
  const check = `await checkOverdueBackups(${JSON.stringify(server.name)})`;
  expect(await runInAgent(server, functions, check)).toMatchObject({ status: 0 });
}

/** Waits until the agent has sent an alert and noted that it has. */
async function untilAlerted(count: number, note: RegExp): Promise<void> {
  await until(`${count} alerts`, async () => {
    const { stdout } = await server.run(["cat", "/var/lib/stagecraft/alerts.json"]);
    return told.length >= count && note.test(stdout);
  });
}

const numbers = async (): Promise<string> => readMetrics(server);

describe("a server whose backups are in time", () => {
  test("is healthy, and its numbers are asked for in its own network alone", async () => {
    expect(await server.run(["stagecraft-agent", "health"])).toMatchObject({
      status: 0,
      stdout: "",
    });
    const text = await numbers();
    expect(text).toContain(`stagecraft_backup_overdue{server="${server.name}"} 0\n`);
    expect(text).toMatch(/^stagecraft_backup_repository_free_bytes\{.*\} [1-9]/m);
    expect(await docker("port", server.agentContainer)).toBe("");
  });
});

describe("a server whose backups are overdue", () => {
  test("is unhealthy and says why, in its numbers too, and people are told once", async () => {
    await promise();
    await startAgain();
    await untilAlerted(1, /"overdue":true/);
    const reason = /no backup of job yearly since its run of \d{4}-01-01 00:00 UTC/;
    const health = await server.run(["stagecraft-agent", "health"]);
    expect(health.status).not.toBe(0);
    expect(health.stdout).toMatch(reason);
    expect(await numbers()).toContain(`stagecraft_backup_overdue{server="${server.name}"} 1\n`);
    const { backups } = observationSchema.parse(
      JSON.parse((await server.agent(["observe"])).stdout),
    );
    expect(backups.late).toEqual([expect.stringMatching(reason)]);
    await lookAgain();
    expect(told).toMatchObject([
      { event: "overdue", text: expect.stringMatching(reason) as string },
    ]);
  });

  test("is well again after the next backup, and people are told once", async () => {
    await writeScriptedBackup(server, formatBackupId(new Date()), 1, "yearly");
    await startAgain();
    await untilAlerted(2, /"overdue":false/);
    expect(await server.run(["stagecraft-agent", "health"])).toMatchObject({
      status: 0,
      stdout: "",
    });
    await lookAgain();
    expect(told.map(({ event }) => event)).toEqual(["overdue", "good again"]);
    expect(await numbers()).toMatch(
      /^stagecraft_backup_last_success_timestamp_seconds\{.*job="yearly"\} \d+/m,
    );
  });
});

test("people are told of a job that failed, with the cause and the end of its log", async () => {
  told.length = 0;
  await server.createDatabase("held", "CREATE TABLE t (i int)");
  const session = await holdSession(server, "held", "LOCK TABLE t");
  const failing = { schedule: "* * * * *", databases: ["held"], lockTimeout: "1 s" };
  await promise({ failing });
  const failed = () => told.find(({ event }) => event === "failed");
  await expect.poll(failed, polling).toBeDefined();
  expect(failed()?.text).toMatch(/failing failed\n[^]*held[^]*locked by another session/);
  expect(failed()?.log.join("\n")).toMatch(/stopped: [^]*lock/);
  await session.release();
});
