import { spawn } from "node:child_process";
import { requireInstance, instanceEnvironment } from "./instance";
import { ensureInstanceRuns } from "./postmaster";

/** Opens psql on the side cluster, on this terminal; its exit status. Nothing can be changed there. */
export async function instancePsql(server: string, args: readonly string[]): Promise<number> {
  const side = await requireInstance(server);
  await ensureInstanceRuns();
  const [database = side.databases[0]?.name ?? "postgres", ...rest] = args;
  const env = { ...instanceEnvironment(), PGDATABASE: database, PSQL_HISTORY: "/tmp/psql_history" };
  const child = spawn("psql", rest, { env, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      resolve(status ?? 255);
    });
  });
}
