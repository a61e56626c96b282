import { get } from "node:http";

/** Why an application is not well, by what it answers at an address; `undefined` when it is. */
export async function healthProblem(url: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const { pathname, search } = new URL(url);
    const at = pathname + search;
    const request = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) });
    request.on("response", (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.on("error", () => undefined);
      request.destroy();
      resolve(statusCode >= 200 && statusCode < 400 ? undefined : `${at} answers ${statusCode}`);
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const { code } = error;
      if (error.name === "AbortError") resolve(`${at} does not answer`);
      else if (code === "ECONNREFUSED") resolve(`nobody listens for ${at}`);
      else if (code === "ENOTFOUND" || code === "EAI_AGAIN") resolve("its container does not run");
      else resolve(`${at}: ${error.message}`);
    });
  });
}
