import { aroundEach } from "vitest";
import { limit, minute } from "../time/limit.mjs";
import { runInScope, TestScope } from "./test-scope";

// A set-up of all files with real servers: a test that fails or is given up ends the programs it started, so that none
// of them is at work during the next test.
aroundEach(
  async (runTest, { signal, task }) => {
    const scope = new TestScope();
    const giveUp = (): void => {
      void scope.end(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    await runInScope(scope, runTest);
    signal.removeEventListener("abort", giveUp);
    if (signal.aborted || task.result?.state === "fail")
      await scope.end(signal.reason ?? new Error(`"${task.name}" has failed`));
  },
  limit(2 * minute),
);
