import { describe, expect, test } from "vitest";
import type { Container } from "../../../../engine/containers";
import { applicationRows } from "../../../../cli/text/application";
import { plainPaint } from "../../../../cli/base/paint";
import { refreshedText } from "../../../../cli/text/refresh";
import { updateProblems } from "../../../../cli/pulumi/update-errors";
import type { RestoreResult } from "../../../../model/restore/protocol";

const container: Container = {
  ...{ name: "stagecraft-staging-application", state: "running", health: undefined },
  ...{ createdAt: "2026-11-22T09:13:59Z", server: "staging" },
  ...{ startedAt: "2026-11-22T09:14:00Z", exitCode: 0, ports: ["127.0.0.1:18080"] },
};
const seen = { revision: "4f2c9e1", url: "http://there:8080/health" };

describe("the application in status", () => {
  const row = (...facts: Parameters<typeof applicationRows>): string | undefined =>
    applicationRows(...facts)[0]?.[1];

  test.each([
    [{ container, observed: { ...seen, problem: null } }, "running, healthy"],
    [
      { container, observed: { ...seen, problem: "/health returns 503" } },
      "running, not healthy: /health returns 503",
    ],
    [{ container, observed: { revision: "4f2c9e1" } }, "running"],
    [
      {
        container: { ...container, health: "healthy" as const },
        observed: { revision: "4f2c9e1" },
      },
      "running, healthy",
    ],
    [
      {
        container: { ...container, health: "starting" as const },
        observed: { revision: "4f2c9e1" },
      },
      "running, still starting",
    ],
    [
      {
        container: { ...container, health: "unhealthy" as const },
        observed: { revision: "4f2c9e1" },
      },
      "running, not healthy",
    ],
    [{ container: { ...container, state: "exited" }, observed: seen }, "its container is exited"],
  ])("of %j is %s", (facts, state) => {
    expect(row(facts, plainPaint)).toBe(`${state} · revision 4f2c9e1 · 127.0.0.1:18080`);
  });

  test("is missed where the agent knows of one, and not shown where nobody does", () => {
    expect(row({ container: undefined, observed: seen }, plainPaint)).toBe(
      "its container is missing · revision 4f2c9e1",
    );
    expect(applicationRows({ container: undefined, observed: undefined }, plainPaint)).toEqual([]);
  });
});

test("a refresh tells what became of the application", () => {
  const application = {
    ...{ revision: "4f2c9e1", restarted: true, healthy: true, seconds: 0.9 },
    errors: { fresh: [{ signature: 'ERROR no "…" here', count: 3 }], more: 0, known: 0 },
  };
  const result: RestoreResult = {
    ...{ result: "restored", server: "staging", database: "timesheets", restoreId: "x" },
    source: { name: "20261121T032900Z", backup: "20261121T032900Z", server: "prod" },
    ...{ startedAt: "2026-11-22T09:14:00.000Z", steps: [], awaySeconds: 0.1, text: "" },
    application,
  };
  const asked = { stack: "staging", backup: "20261121T032900Z", report: undefined };
  expect(refreshedText(result, asked)).toContain(
    `  application       restarted, healthy after 0.9 s · 1 new error in its log
                    3 × ERROR no "…" here
  previous version  timesheets__previous · to roll back: npx stagecraft rollback staging`,
  );
});

test("an update that fails for the application says so without what was being done", () => {
  const told = `exit status 1: running "set -eu\\nrequest=$(cat)":
restart of the application …
staging has the contents of 20261121T032900Z, but its application does not become healthy: x after 4 s
  log       indexing …`;
  expect(
    updateProblems({
      stack: "staging",
      errors: [{ message: told, isFromProgram: false }],
      stderr: "",
    })[0]?.message,
  ).toBe(
    `staging has the contents of 20261121T032900Z, but its application does not become healthy: x after 4 s
  log       indexing …`,
  );
});

test("an image that is nowhere is named", () => {
  const error =
    'sdk-v2/provider2.go:571: sdk.helper_schema: Unable to create container with image far.example:5000/a:1: unable to pull image far.example:5000/a:1: error pulling image far.example:5000/a:1: Error response from daemon: Get "https://far.example:5000/v2/": no such host';
  const [problem, ...others] = updateProblems({
    stack: "prod",
    errors: [error, `1 error occurred:\n${error}`].map((message) => ({
      message,
      isFromProgram: false,
    })),
    stderr: "",
  });
  expect(others).toEqual([]);
  expect(problem?.message).toBe(
    "image far.example:5000/a:1 is not on the engine and cannot be pulled",
  );
});
