import { setTimeout as sleep } from "node:timers/promises";
import type { ApplicationHealth } from "../../../model/application/protocol";
import { AgentError } from "../../system/errors";
import { healthProblem } from "./health";
import { readApplication } from "./stored-application";

/** How long one call waits: whoever asks looks at the container in between. */
const timeoutMs = 2000;
const retryMs = 200;

/** Waits a moment for the server's application to be well; it has been waited for so many seconds already. */
export async function waitForApplication(waited: number): Promise<ApplicationHealth> {
  const { url } = (await readApplication()) ?? {};
  if (url === undefined) throw new AgentError("the application of this server has no healthPath");
  const started = performance.now();
  for (;;) {
    const problem = await healthProblem(url, timeoutMs);
    const elapsed = performance.now() - started;
    const seconds = waited + Math.round(elapsed) / 1000;
    if (problem === undefined) return { problem: null, seconds };
    if (elapsed >= timeoutMs) return { problem, seconds };
    await sleep(retryMs);
  }
}
