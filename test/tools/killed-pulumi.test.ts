import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { checkout } from "../support/files/checkout";
import { areRunning, descendants, killAll } from "../support/programs/process";
import { TestStack } from "../support/stacks/test-stack";
import { second } from "../support/time/limit.mjs";
import { until } from "../support/time/until";

/** Waits for a command, and logs meanwhile. */
const program = `
new command.local.Command("wait", { create: "echo held; sleep 7200" });
setInterval(() => pulumi.log.info("still here"), 200);
`;

let stack: TestStack;
beforeAll(async () => {
  vi.stubEnv("PULUMI_LANGUAGE_NODEJS_RUN_PATH", join(checkout, "program/run.js"));
  stack = await TestStack.create(program);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await stack.pulumi("cancel", "--yes", "--stack", "test");
  await stack.remove();
});

test("the program and its language host end by themselves when Pulumi is killed", async () => {
  const up = stack.start("up", "--yes", "--skip-preview", "--stack", "test");
  const started = await until("the command runs", async () => {
    const all = await descendants(up.pid ?? 0);
    return (await areRunning(all, /sleep 7200/)) && all;
  });
  try {
    up.kill("SIGKILL");
    await up;
    const ours = /program\/run\.js|pulumi-language-nodejs/;
    await until("they end", async () => !(await areRunning(started, ours)), {
      within: 20 * second,
    });
    expect(await areRunning(started, ours)).toBe(false);
  } finally {
    killAll(started);
  }
});
