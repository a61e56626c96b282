import { runPsqlOnTerminal } from "../../postgres/psql-on-terminal";
import { requireInstance, instanceEnvironment } from "./instance";
import { ensureInstanceRuns } from "./postmaster";

/** Runs psql on the recovery instance in this terminal; returns its exit status. The sessions are read-only. */
export async function instancePsql(server: string, args: readonly string[]): Promise<number> {
  const instance = await requireInstance(server);
  await ensureInstanceRuns();
  const [database = instance.databases[0]?.name ?? "postgres", ...rest] = args;
  return runPsqlOnTerminal(rest, { ...instanceEnvironment(), PGDATABASE: database });
}
