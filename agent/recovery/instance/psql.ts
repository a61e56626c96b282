import { spawn } from "node:child_process";
import { requireInstance, instanceEnvironment } from "./instance";
import { ensureInstanceRuns } from "./postmaster";

/** Runs psql on the recovery instance in this terminal; returns its exit status. The sessions are read-only. */
export async function instancePsql(server: string, args: readonly string[]): Promise<number> {
  const instance = await requireInstance(server);
  await ensureInstanceRuns();
  const [database = instance.databases[0]?.name ?? "postgres", ...rest] = args;
  const env = { ...instanceEnvironment(), PGDATABASE: database, PSQL_HISTORY: "/tmp/psql_history" };
  const child = spawn("psql", rest, { env, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      resolve(status ?? 255);
    });
  });
}
