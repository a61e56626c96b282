import { spawn } from "node:child_process";

/** Runs psql in this terminal; returns its exit status, 255 when a signal ended it. */
export async function runPsqlOnTerminal(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const env = { ...environment, PSQL_HISTORY: "/tmp/psql_history" };
  const child = spawn("psql", args, { env, stdio: "inherit" });
  // Ctrl-C is for the query: the terminal sends it to psql as well.
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status) => {
        resolve(status ?? 255);
      });
    });
  } finally {
    process.off("SIGINT", ignore);
  }
}
