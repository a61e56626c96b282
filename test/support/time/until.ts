import { setTimeout as sleep } from "node:timers/promises";
import { testSignal } from "../run/test-scope";
import { limit, minute } from "./limit.mjs";

type Truthy<T> = Exclude<T, false | 0 | "" | null | undefined>;

/**
 * Asks again and again until the answer is one; that answer. Ends with the test that waits.
 * @param what What is waited for, e.g. "a session that holds the lock"; the error names it.
 * @param every Milliseconds between two questions.
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  { within = 5 * minute, every = 100 } = {},
): Promise<Truthy<T>> {
  const signal = testSignal();
  const seconds = limit(within) / 1000;
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as Truthy<T>;
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(every, undefined, { ...(signal && { signal }) });
  }
}
