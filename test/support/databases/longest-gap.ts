import { queryDuring } from "./asking-client";
import type { TestProject } from "../stacks/project";

/** Asks a stack's database every 10 ms as its application while something is done; the longest time without an answer, in seconds. */
export async function longestGap(
  project: TestProject,
  stack: string,
  during: () => Promise<unknown>,
): Promise<number> {
  let answered = performance.now();
  let longest = 0;
  const onAnswer = (): void => {
    longest = Math.max(longest, performance.now() - answered);
    answered = performance.now();
  };
  const question = { stack, sql: "SELECT count(*) FROM projects", pause: 10 };
  await queryDuring(project, question, onAnswer, during);
  return longest / 1000;
}
