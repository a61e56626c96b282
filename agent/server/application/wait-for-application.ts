import { setTimeout as sleep } from "node:timers/promises";
import { AgentError } from "../../system/errors";
import { healthProblem } from "./health";
import { readApplication } from "./stored-application";

/** How long one call waits: the caller checks the container between two calls. */
const timeoutMs = 2000;
const retryMs = 200;

/** Health of the application. */
interface ApplicationHealth {
  /** Why it is not healthy; `undefined` when it is. */
  readonly problem: string | undefined;
  /** Seconds of waiting so far. */
  readonly seconds: number;
}

/** Waits two seconds for the server's application to be healthy, after `waited` seconds of earlier calls. */
export async function waitForApplication(waited: number): Promise<ApplicationHealth> {
  const { url } = (await readApplication()) ?? {};
  if (url === undefined) throw new AgentError("the application of this server has no healthPath");
  const started = performance.now();
  for (;;) {
    const problem = await healthProblem(url, timeoutMs);
    const elapsed = performance.now() - started;
    const seconds = waited + Math.round(elapsed) / 1000;
    if (problem === undefined || elapsed >= timeoutMs) return { problem, seconds };
    await sleep(retryMs);
  }
}
