import { get } from "node:http";

/** Requests a URL of an application. Returns why the application is not healthy; `undefined` when it is (status 200 to 399). */
export async function healthProblem(url: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const { pathname, search } = new URL(url);
    const target = pathname + search;
    const request = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) });
    request.on("response", (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.on("error", () => undefined);
      request.destroy();
      resolve(
        statusCode >= 200 && statusCode < 400 ? undefined : `${target} returns ${statusCode}`,
      );
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      const { code } = error;
      if (error.name === "AbortError") resolve(`${target} does not answer`);
      else if (code === "ECONNREFUSED") resolve(`${target}: nothing is listening`);
      else if (code === "ENOTFOUND" || code === "EAI_AGAIN")
        resolve("its container is not running");
      else resolve(`${target}: ${error.message}`);
    });
  });
}
