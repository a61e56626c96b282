import { AgentError } from "../system/errors";

/** Aborts when this process receives SIGTERM, SIGINT or SIGHUP, so that it can shut down cleanly. */
export function terminationSignal(): AbortSignal {
  const end = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(name, () => {
      end.abort(new AgentError(`the agent was asked to stop (${name})`));
    });
  }
  return end.signal;
}

/** Aborts after `seconds`, with `reason` as an {@link AgentError}. */
export function timeoutSignal(seconds: number, reason: string): AbortSignal {
  const end = new AbortController();
  // Node's timers are limited to about 25 days, which is longer than any job.
  const milliseconds = Math.min(seconds * 1000, 2 ** 31 - 1);
  setTimeout(() => {
    end.abort(new AgentError(reason));
  }, milliseconds).unref();
  return end.signal;
}
