import { AgentError } from "../system/errors";

/** A signal that is given when this process is asked to end, so that it can leave everything in order. */
export function terminationSignal(): AbortSignal {
  const end = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(name, () => {
      end.abort(new AgentError(`the agent was asked to stop (${name})`));
    });
  }
  return end.signal;
}

/** A signal that is given after a while, with the reason. */
export function timeoutSignal(seconds: number, reason: string): AbortSignal {
  const end = new AbortController();
  // Longer than a timer can be (25 days) is as good as never.
  const milliseconds = Math.min(seconds * 1000, 2 ** 31 - 1);
  setTimeout(() => {
    end.abort(new AgentError(reason));
  }, milliseconds).unref();
  return end.signal;
}
