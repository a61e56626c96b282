import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { endWithTest, runInScope, testSignal, TestScope } from "../../support/run/test-scope";
import { until } from "../../support/time/until";

/** Something that runs until it is ended. */
function endless(): { readonly running: Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const running = new Promise<void>((resolve) => (end = resolve));
  return { running, end };
}

test("a test that is given up ends what it started, and that end is waited for", async () => {
  const scope = new TestScope();
  const ended: string[] = [];
  const { running, end } = endless();
  await runInScope(scope, async () => {
    void endWithTest(
      running.then(async () => sleep(50)).then(() => ended.push("the program")),
      end,
    );
    await Promise.resolve();
  });
  await scope.end("given up");
  expect(ended).toEqual(["the program"]);
});

test("a test that was given up starts nothing more and waits for nothing more", async () => {
  const scope = new TestScope();
  const { running, end } = endless();
  const goesOn = runInScope(scope, async () => {
    await running;
    expect(() => testSignal()).toThrow("given up");
    await expect(until("never", () => false)).rejects.toThrow("given up");
    expect(() => endWithTest(Promise.resolve(), () => undefined)).toThrow("given up");
  });
  await scope.end(new Error("given up"));
  end();
  await goesOn;
});

test("waiting ends with the test that waits", async () => {
  const scope = new TestScope();
  const waiting = runInScope(scope, async () => {
    await until("never", () => false);
  });
  await scope.end(new Error("given up"));
  await expect(waiting).rejects.toThrow();
});

test("what has ended by itself is not ended again, and a test that passes ends nothing", async () => {
  const scope = new TestScope();
  let ends = 0;
  await runInScope(scope, async () => {
    await endWithTest(Promise.resolve(), () => ends++);
  });
  await sleep(0);
  await scope.end("failed");
  expect(ends).toBe(0);
});
