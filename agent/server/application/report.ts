import {
  compareLog,
  isSince,
  lastDistinctLines,
  parseLog,
  type LogLine,
} from "../../../model/application/log";
import type { ApplicationReportRequest } from "../../../model/application/protocol";
import {
  applicationText,
  freshErrorLines,
  unhealthyText,
  type ApplicationReport,
} from "../../../model/application/report";
import { previousVersionName } from "../../../model/base/names";
import type { RestoreResult } from "../../../model/restore/protocol";
import { listDatabases } from "../../postgres/databases";
import { AgentError } from "../../system/errors";
import { withConnection } from "../../postgres/connect";
import { logLine } from "../../system/progress";
import { saveReport, latestReports } from "../../system/restore-reports";

/** Log lines shown of an unhealthy application. */
const maxLogLines = 8;

/** Whether an application that started at a given time must be restarted because its database was swapped later. */
export async function isRestartDue(database: string, started: string): Promise<boolean> {
  const { exchangedAt } = (await lastSwap(database)) ?? {};
  return exchangedAt !== undefined && !isSince(started, exchangedAt);
}

/** State of the application. */
export interface ApplicationState {
  readonly restarted: boolean;
  /** When its container started. */
  readonly started: string;
  /** How long the command waited for it to be healthy. */
  readonly seconds: number;
  /** Why it is not healthy; `undefined` when it is. */
  readonly problem: string | undefined;
  /** Its log, as `docker logs --timestamps` gives it. */
  readonly log: string;
}

/**
 * Adds the state of the application to the report of the restore that it was restarted for, and prints new errors in its
 * log. Throws an {@link AgentError} when the application is not healthy.
 */
export async function reportApplication(
  request: ApplicationReportRequest,
  { restarted, started, seconds, problem, log }: ApplicationState,
): Promise<ApplicationReport> {
  const lines = parseLog(log);
  const healthy = problem === undefined;
  const report: ApplicationReport = {
    revision: request.revision,
    restarted,
    healthy,
    seconds,
    errors: compareErrors(lines, started, new RegExp(request.errorPattern)),
  };
  const restore = await lastSwap(request.database);
  // The result of a redeployment does not belong to contents with which the application was healthy before.
  const pending = restore?.application?.healthy === true ? undefined : restore;
  if (pending) {
    // A second attempt need not restart it again.
    const wasRestarted = restarted || pending.application?.restarted === true;
    await saveReport({ ...pending, application: { ...report, restarted: wasRestarted } });
  }
  if (problem !== undefined) {
    throw new AgentError(await unhealthyMessage(request, problem, report, pending, lines));
  }
  logLine(`the application: ${applicationText(report)}`);
  for (const line of freshErrorLines(report)) logLine(`  ${line}`);
  return report;
}

/** Compares the errors before and after the restart; `undefined` for a container without earlier log lines. */
function compareErrors(
  lines: readonly LogLine[],
  started: string,
  isError: RegExp,
): ApplicationReport["errors"] {
  const [first] = lines;
  if (!first || isSince(first.timestamp, started)) return undefined;
  return compareLog(lines, started, isError);
}

async function unhealthyMessage(
  { server, database, container }: ApplicationReportRequest,
  reason: string,
  { seconds }: ApplicationReport,
  restore: RestoreResult | undefined,
  lines: readonly LogLine[],
): Promise<string> {
  return unhealthyText({
    server,
    container,
    reason,
    seconds,
    exchanged: restore && (restore.source.backup ?? restore.source.name),
    canRollBack: await canRollBack(database),
    log: lastDistinctLines(lines, maxLogLines),
  });
}

/** Whether there is a previous version that `stagecraft rollback` finds. */
async function canRollBack(database: string): Promise<boolean> {
  if (process.env.STAGECRAFT_KIND === "production") return false;
  const databases = await withConnection("postgres", listDatabases).catch(() => []);
  const { source } =
    databases.find(({ name }) => name === previousVersionName(database))?.stamp ?? {};
  return source?.backup !== undefined && source.repository !== undefined;
}

/** The latest restore that swapped a database. */
async function lastSwap(database: string): Promise<RestoreResult | undefined> {
  const reports = await latestReports();
  return reports.find((report) => report.database === database && report.exchangedAt !== undefined);
}
