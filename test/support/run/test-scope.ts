import { AsyncLocalStorage } from "node:async_hooks";

/** What one test has started and what has not ended yet. */
export class TestScope {
  readonly #over = new AbortController();
  readonly #running = new Map<Promise<void>, () => unknown>();

  /** Aborts when the test has failed or was given up. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Takes note of something that ends by itself, and of how to end it. */
  add(running: Promise<unknown>, end: () => unknown): void {
    const settled: Promise<void> = running.then(
      () => undefined,
      () => undefined,
    );
    this.#running.set(settled, end);
    void settled.then(() => this.#running.delete(settled));
  }

  /** Ends what the test has started, and waits until it has ended. */
  async end(reason: unknown): Promise<void> {
    this.#over.abort(reason);
    const ends = [...this.#running].flatMap(([running, end]) => [running, end()]);
    await Promise.all(ends);
  }
}

/** One for all copies of this module: each file of a shared process loads it again. */
const key = Symbol.for("stagecraft.test-scope");
const shared = globalThis as Record<symbol, unknown>;
const known = shared[key] as AsyncLocalStorage<TestScope> | undefined;
const current = known ?? new AsyncLocalStorage<TestScope>();
shared[key] = current;

/** Runs a test so that everything it calls finds its scope, also after it was given up. */
export async function runInScope(scope: TestScope, test: () => Promise<void>): Promise<void> {
  return current.run(scope, test);
}

/**
 * Aborts when the calling test has failed or was given up; `undefined` in the hooks of a file.
 * @throws when that has happened: the test may start nothing more.
 */
export function testSignal(): AbortSignal | undefined {
  const signal = current.getStore()?.signal;
  signal?.throwIfAborted();
  return signal;
}

/** Has something end, and waits for its end, when the calling test fails or is given up. */
export function endWithTest<T extends Promise<unknown>>(running: T, end: () => unknown): T {
  const scope = current.getStore();
  if (scope?.signal.aborted) {
    void end();
    running.catch(() => undefined);
    throw scope.signal.reason;
  }
  scope?.add(running, end);
  return running;
}
