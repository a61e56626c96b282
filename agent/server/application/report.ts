import {
  compareLog,
  isSince,
  lastDistinctLines,
  parseLog,
  type LogLine,
} from "../../../model/application/log";
import type {
  ApplicationDue,
  ApplicationHealth,
  ApplicationReportRequest,
} from "../../../model/application/protocol";
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

/** Lines of a log that are shown of an application that is not well. */
const shownLines = 8;

/** Whether an application that started at a moment must be restarted for its database's contents. */
export async function applicationRestartDue(
  database: string,
  started: string,
): Promise<ApplicationDue> {
  const { exchangedAt } = (await lastSwap(database)) ?? {};
  return { restart: exchangedAt !== undefined && !isSince(started, exchangedAt) };
}

/** How the application was found. */
export interface ApplicationState {
  readonly restarted: boolean;
  /** When its container started. */
  readonly started: string;
  readonly health: ApplicationHealth;
  /** Its log, as `docker logs --timestamps` gives it. */
  readonly log: string;
}

/**
 * Puts what became of the application into the report of the exchange that it was restarted for, and tells of new errors in
 * its log. Raises an error when it is not well.
 */
export async function reportApplication(
  request: ApplicationReportRequest,
  { restarted, started, health, log }: ApplicationState,
): Promise<ApplicationReport> {
  const lines = parseLog(log);
  const healthy = health.problem === null;
  const report: ApplicationReport = {
    ...{ revision: request.revision, restarted, healthy, seconds: health.seconds },
    errors: compareErrors(lines, started, new RegExp(request.errorPattern)),
  };
  const exchange = await lastSwap(request.database);
  // What a redeployment finds is no news of the contents that the application was well with before.
  const open = exchange?.application?.healthy === true ? undefined : exchange;
  if (open) {
    // A second try need not restart it again.
    const wasRestarted = restarted || open.application?.restarted === true;
    await saveReport({ ...open, application: { ...report, restarted: wasRestarted } });
  }
  if (health.problem !== null) {
    throw new AgentError(await unhealthyMessage(request, health.problem, report, open, lines));
  }
  logLine(`the application: ${applicationText(report)}`);
  for (const line of freshErrorLines(report)) logLine(`  ${line}`);
  return report;
}

/** Only a container that ran before has something to compare with. */
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
  exchange: RestoreResult | undefined,
  lines: readonly LogLine[],
): Promise<string> {
  return unhealthyText({
    ...{ server, container, reason, seconds },
    exchanged: exchange && (exchange.source.backup ?? exchange.source.name),
    canRollBack: await canRollBack(database),
    log: lastDistinctLines(lines, shownLines),
  });
}

/** Whether the contents before are there under a name that `stagecraft rollback` finds. */
async function canRollBack(database: string): Promise<boolean> {
  if (process.env.STAGECRAFT_KIND === "production") return false;
  const databases = await withConnection("postgres", listDatabases).catch(() => []);
  const { source } =
    databases.find(({ name }) => name === previousVersionName(database))?.stamp ?? {};
  return source?.backup !== undefined && source.repository !== undefined;
}

/** The newest restore that gave a database its contents. */
async function lastSwap(database: string): Promise<RestoreResult | undefined> {
  const reports = await latestReports();
  return reports.find((report) => report.database === database && report.exchangedAt !== undefined);
}
