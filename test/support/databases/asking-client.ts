import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { TestProject } from "../stacks/project";

/** What a client asks a stack's database all the time, as its application. */
export interface RepeatedQuery {
  readonly stack: string;
  /** Its first column of the first row is the answer. */
  readonly sql: string;
  /** Milliseconds between an answer and the next question. */
  readonly pause: number;
}

/** Asks while something is done, connecting again whenever it is cut off; hands on each answer. */
export async function queryDuring(
  project: TestProject,
  { stack, sql, pause }: RepeatedQuery,
  onAnswer: (answer: string) => void,
  during: () => Promise<unknown>,
): Promise<void> {
  const config = {
    ...{ host: "127.0.0.1", port: project.port(stack), database: "timesheets" },
    ...{ user: "timesheets", password: project.passwords.application },
    ...{ connectionTimeoutMillis: 10_000, query_timeout: 10_000 },
  };
  let client: Client | undefined;
  let isOver = false;
  const ask = async (): Promise<void> => {
    while (!isOver) {
      try {
        if (!client) {
          client = new Client(config);
          client.on("error", () => undefined);
          await client.connect();
        }
        const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
        onAnswer(String(rows[0]?.[0]));
      } catch {
        await client?.end().catch(() => undefined);
        client = undefined;
      }
      await sleep(pause);
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
}
