import { createInterface } from "node:readline/promises";

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** Asks for a line of text; what was typed, without blanks around it. */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const aborted = new AbortController();
    terminal.once("SIGINT", () => {
      aborted.abort();
    });
    terminal.once("close", () => {
      aborted.abort();
    });
    return (await terminal.question(question, { signal: aborted.signal })).trim();
  } catch {
    process.stdout.write("\n");
    return "";
  } finally {
    terminal.close();
  }
}

/** Asks a question whose answer is no unless somebody says yes. */
export async function askYes(question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `));
}
