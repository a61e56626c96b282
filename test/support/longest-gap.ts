import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { TestProject } from "./project";

/** Asks a stack's database every 10 ms as its application while something is done; the longest time without an answer, in seconds. */
export async function longestGap(
  project: TestProject,
  stack: string,
  during: () => Promise<unknown>,
): Promise<number> {
  const config = {
    ...{ host: "127.0.0.1", port: project.port(stack), database: "timesheets" },
    ...{ user: "timesheets", password: project.passwords.application },
  };
  let client: Client | undefined;
  let answered = performance.now();
  let longest = 0;
  let isOver = false;
  const ask = async (): Promise<void> => {
    while (!isOver) {
      try {
        if (!client) {
          client = new Client(config);
          client.on("error", () => undefined);
          await client.connect();
        }
        await client.query("SELECT count(*) FROM projects");
        longest = Math.max(longest, performance.now() - answered);
        answered = performance.now();
      } catch {
        await client?.end().catch(() => undefined);
        client = undefined;
      }
      await sleep(10);
    }
    await client?.end();
  };
  const asking = ask();
  try {
    await during();
  } finally {
    isOver = true;
    await asking;
  }
  return longest / 1000;
}
