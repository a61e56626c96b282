import { createInterface } from "node:readline/promises";

/** Whether a user can be asked: stdin and stdout are a terminal. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** Asks for a line of text; the answer is trimmed, and empty after Ctrl-C. */
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

/** Asks a yes-or-no question; the default is no. */
export async function askYes(question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} [y/N] `));
}
