import type { MaintenanceJob } from "../../../model/backup/job";
import type { JobResult } from "../../../model/backup/protocol";
import { formatDuration, plural } from "../../../model/base/units";
import { selectDatabases } from "../../backup/select-databases";
import { runProgram } from "../../system/run-program";
import { now } from "../../system/clock";
import { AgentError, messageOf } from "../../system/errors";
import { waitForPostgres } from "../../postgres/connect";
import { clientEnvironment, connectionString } from "../../postgres/client-programs";
import { logLine } from "../../system/progress";
import { withJobLock } from "../../jobs/job-lock";

const options: Readonly<Record<MaintenanceJob["work"], readonly string[]>> = {
  "vacuum and analyze": ["--analyze"],
  vacuum: [],
  analyze: ["--analyze-only"],
};

/** Vacuums and analyzes the databases of a job. Locked tables are skipped until the next run. */
export async function maintain(
  server: string,
  name: string,
  settings: MaintenanceJob,
  signal: AbortSignal,
): Promise<JobResult> {
  const started = now();
  const result = (succeeded: boolean, text: string): JobResult => ({
    kind: "maintenance",
    name,
    succeeded,
    text,
    backup: null,
    startedAt: started.toISOString(),
    finishedAt: now().toISOString(),
  });
  try {
    await waitForPostgres(600);
    const count = await withJobLock({ kind: "maintenance", name }, signal, async (client) => {
      const databases = await selectDatabases(client, settings.databases);
      for (const database of databases) await vacuum(database.name, settings.work, signal);
      return databases.length;
    });
    const seconds = (now().getTime() - started.getTime()) / 1000;
    return result(
      true,
      `${settings.work} of ${plural(count, "database")} · ${formatDuration(seconds)}`,
    );
  } catch (error) {
    const [cause = "", ...fix] = messageOf(signal.aborted ? signal.reason : error).split("; ");
    const advice = fix.join("; ") || `npx stagecraft status ${server}`;
    const head = `maintenance ${name} of ${server} failed`;
    return result(false, `${head}\n  cause     ${cause}\n  fix       ${advice}`);
  }
}

async function vacuum(
  database: string,
  work: MaintenanceJob["work"],
  signal: AbortSignal,
): Promise<void> {
  logLine(`${work} of ${database} …`);
  const errors: string[] = [];
  const [status] = await runProgram(
    [
      "vacuumdb",
      "--no-password",
      "--skip-locked",
      "--quiet",
      ...options[work],
      `--dbname=${connectionString(database)}`,
    ],
    {
      environment: clientEnvironment(),
      onLine: (line) => errors.push(line),
      signal,
    },
  );
  signal.throwIfAborted();
  if (status === 0) return;
  const [first = `vacuumdb ended with status ${status ?? ""}`] = errors;
  throw new AgentError(first.replace(/^vacuumdb: (?:error: )?/, ""));
}
