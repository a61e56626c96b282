import { spawn } from "node:child_process";
import { requireSide, sideEnvironment } from "./state";
import { ensureSideRuns } from "./postmaster";

/** Opens psql on the side cluster, on this terminal; its exit status. Nothing can be changed there. */
export async function sidePsql(server: string, args: readonly string[]): Promise<number> {
  const side = await requireSide(server);
  await ensureSideRuns();
  const [database = side.databases[0]?.name ?? "postgres", ...rest] = args;
  const env = { ...sideEnvironment(), PGDATABASE: database, PSQL_HISTORY: "/tmp/psql_history" };
  const child = spawn("psql", rest, { env, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      resolve(status ?? 255);
    });
  });
}
