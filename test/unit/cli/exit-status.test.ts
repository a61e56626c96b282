import { describe, expect, test } from "vitest";
import { exitStatus, exitStatusHelp } from "../../../cli/base/exit-status";
import { Problem, Rejection, UnhealthyResult } from "../../../cli/base/problem";
import { afterEvent, noEventsYet, type EngineError } from "../../../cli/pulumi/engine-events";
import { UpdateFailed } from "../../../cli/pulumi/update";
import { updateProblems } from "../../../cli/pulumi/update-errors";
import type { ServerStatus } from "../../../cli/server/server-status";
import { requireHealthy } from "../../../cli/verbs/up";
import { unhealthyText } from "../../../model/application/report";

test("the help lists each exit status once, in order", () => {
  expect(exitStatusHelp().split("\n")).toEqual([
    "Exit status:",
    "  0  done, or nothing to do",
    "  1  failed; nothing was changed",
    "  2  wrong input, or rejected before anything was changed",
    "  3  changed, but incomplete or not healthy afterwards",
  ]);
  expect(Object.values(exitStatus)).toEqual([0, 1, 2, 3]);
});

describe("a failed update", () => {
  const stack = "urn:pulumi:dev::stagecraft::pulumi:pulumi:Stack::stagecraft-dev";
  const resource = "urn:pulumi:dev::stagecraft::command:local:Command::timesheets-restore";
  const error = (message: string, urn?: string): EngineError => {
    const diagnosticEvent = { severity: "error", message, urn };
    const [found] = afterEvent(noEventsYet, { diagnosticEvent }).errors;
    if (!found) throw new Error("no error");
    return found;
  };
  const statuses = (...errors: EngineError[]): number[] =>
    updateProblems({ stack: "dev", errors, stderr: "" }).map((problem) => problem.exitStatus);
  const unhealthy = {
    server: "staging",
    container: "stagecraft-staging-application",
    reason: "/health returns 503",
    seconds: 60,
    canRollBack: true,
    log: [],
  };

  test.each([
    ["what the program rejects", 2, error("Pulumi.dev.yaml has 2 problems\n  a")],
    [
      "an exception that the program does not handle",
      1,
      error("Running program '/x/main.js' failed with an unhandled exception:\nError: boo"),
    ],
    [
      "an operation that fails",
      1,
      error('exit status 1: running "docker …":\nthe import failed', resource),
    ],
    ["a message of the engine", 1, error("update failed for another reason", stack)],
    ["a wrong passphrase", 2, error("error: could not get stack: incorrect passphrase", stack)],
    ["an engine that does not answer", 1, error("Cannot connect to the Docker daemon", resource)],
    [
      "protected data",
      2,
      error(
        'unable to replace resource "urn::prod-data"\nas it is currently marked for protection',
        resource,
      ),
    ],
    [
      "an application that is not healthy after a swap",
      3,
      error(
        `exit status 1: running "sh":\n${unhealthyText({ ...unhealthy, exchanged: "20261121T032900Z" })}`,
        resource,
      ),
    ],
    [
      "an application that is not healthy without one",
      3,
      error(
        `exit status 1: running "sh":\n${unhealthyText({ ...unhealthy, exchanged: undefined })}`,
      ),
    ],
  ])("%s ends with %d", (_, status, found) => {
    expect(statuses(found)).toEqual([status]);
  });

  test("ends with the highest claim of its problems, unless something was changed", () => {
    const failed = new Problem("failed");
    const rejected = new Rejection("rejected");
    const result = new UnhealthyResult("not healthy");
    expect(new UpdateFailed([rejected]).exitStatus).toBe(2);
    expect(new UpdateFailed([rejected, failed]).exitStatus).toBe(1);
    expect(new UpdateFailed([rejected, failed, result]).exitStatus).toBe(3);
    expect(new UpdateFailed([rejected], exitStatus.unhealthy).exitStatus).toBe(3);
    expect(new UpdateFailed([]).exitStatus).toBe(1);
  });
});

describe("a completed update", () => {
  const server: ServerStatus = {
    stack: "staging",
    kind: "staging",
    host: "local",
    state: "running",
    faults: [],
    addresses: [],
    observation: undefined,
    lastChange: undefined,
  };
  const application = {
    name: "stagecraft-staging-application",
    state: "running",
    health: "healthy" as const,
    createdAt: "2026-11-22T09:00:00Z",
    startedAt: "2026-11-22T09:00:00Z",
    server: "staging",
    exitCode: 0,
    ports: [],
  };
  const problem = (after: Partial<ServerStatus>, changed = true): UnhealthyResult | undefined => {
    try {
      requireHealthy({ changed, server: { ...server, ...after }, restored: undefined });
      return undefined;
    } catch (error) {
      return error as UnhealthyResult;
    }
  };

  test.each([
    [{}],
    [{ state: "starting" as const }],
    [{ state: "not there" as const }],
    [{ application }],
  ])("is done: %j", (after) => {
    expect(problem(after)).toBeUndefined();
  });

  test.each([
    [
      { state: "unhealthy" as const, faults: ["the agent (x) is unhealthy"] },
      "the agent (x) is unhealthy",
    ],
    [{ state: "stopped" as const }, "stopped"],
    [
      { state: "incomplete" as const, faults: ["PostgreSQL's container is missing"] },
      "PostgreSQL's container is missing",
    ],
    [
      { application: { ...application, state: "restarting" } },
      "the application's container stagecraft-staging-application is restarting",
    ],
    [
      { application: { ...application, health: "unhealthy" as const } },
      "the application (stagecraft-staging-application) is unhealthy",
    ],
  ])("is not healthy afterwards: %j", (after, reason) => {
    const found = problem(after);
    expect(found?.exitStatus).toBe(3);
    expect(found?.message).toBe(`staging was changed, but is not healthy: ${reason}`);
    expect(found?.fix).toBe("npx stagecraft status staging");
    expect(problem(after, false)).toBeUndefined();
  });
});
