import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkout } from "../../support/files/checkout";
import { killAll } from "../../support/programs/process";
import { second } from "../../support/time/limit.mjs";
import { until } from "../../support/time/until";

/** Logs each error that nobody handles, as Pulumi's SDK does, and would run for an hour. */
const program = `
require(${JSON.stringify(join(checkout, "program/end-with-engine.js"))}).endWithEngine();
process.on("uncaughtException", (error) => console.error(error));
setInterval(() => console.log("running " + process.pid), 100);
setTimeout(() => undefined, 3_600_000);
`;

/** An engine, the language host that it starts, and the program that this starts: each waits for the next. */
const engine = `bash -c '"$0" -e "$1"; true' "$0" "$1"; true`;

test.each([
  ["its engine is killed", (started: ChildProcess) => started.kill("SIGKILL")],
  [
    "nobody reads what it logs",
    ({ stdout, stderr }: ChildProcess) => {
      stdout?.destroy();
      stderr?.destroy();
    },
  ],
] as const)("a program ends by itself when %s", async (_, disturb) => {
  const started = spawn("bash", ["-c", engine, process.execPath, program]);
  let pid = 0;
  try {
    const [chunk] = (await once(started.stdout, "data")) as [Buffer];
    pid = Number(/running (\d+)/.exec(chunk.toString())?.[1]);
    expect(isRunning(pid)).toBe(true);
    disturb(started);
    await until("the program ends", () => !isRunning(pid), { within: 20 * second });
  } finally {
    killAll([pid, started.pid ?? 0].filter((one) => one > 0));
  }
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
