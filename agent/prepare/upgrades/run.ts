import type { Client } from "pg";
import { planUpgrades, type UpgradePlan } from "../../../model/upgrades/plan";
import type {
  AppliedScript,
  ScriptFailure,
  Upgrades,
  UpgradesReport,
} from "../../../model/upgrades/protocol";
import { scriptLabel, type UpgradeScript } from "../../../model/upgrades/script";
import { inspectScript, transactionControl } from "../../../model/upgrades/script-text";
import { upgradesReportText } from "../../../model/upgrades/report-text";
import { redactMessage } from "../../../model/masks/redact-message";
import { sha256Of } from "../../system/digest";
import { AgentError } from "../../system/errors";
import { withRestrictedLogin, type RestrictedLogin } from "../../postgres/restricted-login";
import { logLine } from "../../system/progress";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { noServerLogging } from "../../postgres/no-server-logging";
import { runStatements, type RejectedStatement } from "../../postgres/run-statements";
import { ensureLedger, readLedger, recordScript } from "./ledger";

/** The database to which upgrade scripts are applied. */
export interface UpgradeTarget {
  /** The database to connect to, e.g. `timesheets__incoming`. */
  readonly database: string;
  /** The role that runs them and owns what they create. */
  readonly owner: string;
  /** The server name recorded in the ledger. */
  readonly server: string;
  /** Whether the values will be masked later and must not appear in messages and logs. @default false */
  readonly hidesValues?: boolean | undefined;
  /** Whether event triggers of the database fire; in a candidate they do not. @default true */
  readonly firesEventTriggers?: boolean;
}

/** Timeouts of a script: for a lock, and for one statement. */
const lockSeconds = 10;
const statementSeconds = 3600;

/** An error instead of missing rows where policies apply to the owner of a table (FORCE ROW LEVEL SECURITY). */
const allRows = { row_security: "off" };

/** Warnings reported per script. */
const maxWarnings = 20;

/** Plans which scripts have been applied to a database and which are pending; read-only. */
export async function inspectUpgrades(
  { database, owner }: Omit<UpgradeTarget, "server">,
  { scripts, rules }: Upgrades,
): Promise<UpgradePlan> {
  return withRestrictedLogin({ role: owner }, async (login) =>
    planWith(login, database, { scripts, rules }),
  );
}

async function planWith(
  login: RestrictedLogin,
  database: string,
  { scripts, rules }: Upgrades,
): Promise<UpgradePlan> {
  const client = await login.connect(database, allRows);
  try {
    return planUpgrades(scripts, await readLedger(client, rules.version), rules);
  } finally {
    await client.end();
  }
}

/**
 * Applies the pending scripts to a database, each in its own transaction together with its row in the ledger, and stops
 * at the first failure; scripts before it stay applied. The report contains the failure of a script and any problems
 * that prevent the start. Throws only when the connection to PostgreSQL is lost.
 */
export async function applyUpgrades(
  target: UpgradeTarget,
  upgrades: Upgrades,
): Promise<UpgradesReport> {
  const { owner: role, hidesValues = false, firesEventTriggers = true } = target;
  const settings = {
    ...(hidesValues && noServerLogging),
    ...(!firesEventTriggers && { event_triggers: "off" }),
  };
  return withRestrictedLogin({ role, settings }, async (login) =>
    applyWith(login, target, upgrades),
  );
}

async function applyWith(
  login: RestrictedLogin,
  target: UpgradeTarget,
  upgrades: Upgrades,
): Promise<UpgradesReport> {
  const started = performance.now();
  const { pending, problems: unfit, notes } = await planWith(login, target.database, upgrades);
  const problems = [...unfit, ...pending.flatMap(contentProblems)];
  const applied: AppliedScript[] = [];
  let failure: ScriptFailure | undefined;
  for (const script of problems.length > 0 ? [] : pending) {
    const outcome = await runScript(login, target, script);
    if ("line" in outcome) {
      failure = outcome;
      break;
    }
    applied.push(outcome);
  }
  const { versions } =
    applied.length > 0 ? await planWith(login, target.database, upgrades) : { versions: [] };
  const report: Omit<UpgradesReport, "text"> = {
    result: problems.length > 0 ? "refused" : failure ? "failed" : "applied",
    applied,
    problems,
    notes: [...notes],
    versions: [...versions],
    seconds: secondsSince(started),
    ...(failure === undefined ? {} : { failure }),
  };
  return { ...report, text: upgradesReportText(report) };
}

/** Checks a script as it arrived: the CLI has checked it, but a request need not come from the CLI. */
function contentProblems(script: UpgradeScript): string[] {
  const label = scriptLabel(script);
  if (sha256Of(script.text) !== script.sha256)
    return [`${label} did not arrive intact: its SHA-256 is not ${script.sha256}`];
  return inspectScript(script.text).problems.map((problem) => `${label}, ${problem}`);
}

async function runScript(
  login: RestrictedLogin,
  { database, owner, server, hidesValues = false }: UpgradeTarget,
  script: UpgradeScript,
): Promise<AppliedScript | ScriptFailure> {
  logLine(`${scriptLabel(script)} …`);
  const started = performance.now();
  // One connection per script, so that session settings of one do not affect the next.
  const client = await login.connect(database, {
    lock_timeout: `${lockSeconds}s`,
    statement_timeout: `${statementSeconds}s`,
    client_min_messages: "warning",
    ...allRows,
  });
  const warnings: string[] = [];
  client.on("notice", ({ severity, code, message = "", where }) => {
    if (severity !== "WARNING" || warnings.length === maxWarnings) return;
    warnings.push(hidesValues ? redactMessage(code, message, where) : message);
  });
  try {
    const { inTransaction } = inspectScript(script.text);
    await ensureLedger(client);
    const rejected = inTransaction
      ? await runInTransaction(client, script)
      : await runText(client, script.text);
    if (rejected) {
      const failure = failureOf(script, rejected, inTransaction);
      return hidesValues ? withoutValues(failure) : failure;
    }
    const seconds = secondsSince(started);
    // The script may have changed the session's role.
    await client.query(`RESET SESSION AUTHORIZATION; SET ROLE ${q(owner)}`);
    const appliedAt = new Date().toISOString();
    await recordScript(client, { ...script, appliedAt, appliedBy: server, seconds });
    if (inTransaction) await client.query("COMMIT");
    return { ...nameOf(script), seconds, warnings };
  } finally {
    // An open transaction is rolled back with the session.
    await client.end().catch(() => undefined);
  }
}

/** Runs a script in a transaction that it leaves open, after checking deferred constraints. */
async function runInTransaction(
  client: Client,
  { text }: UpgradeScript,
): Promise<RejectedStatement | undefined> {
  await client.query("BEGIN");
  return (
    (await runText(client, text, (sql) => transactionControl(sql) !== undefined)) ??
    (await runText(client, `${"\n".repeat(lastLine(text) - 1)}SET CONSTRAINTS ALL IMMEDIATE;`))
  );
}

async function runText(
  client: Client,
  text: string,
  skip?: (sql: string) => boolean,
): Promise<RejectedStatement | undefined> {
  let first: RejectedStatement | undefined;
  await runStatements(client, text, {
    ...(skip && { skip }),
    onRejected: (rejected) => {
      first = rejected;
      return false;
    },
  });
  return first;
}

/** Describes the failure of a script; throws when the connection failed instead. */
function failureOf(
  script: UpgradeScript,
  { line, statement, error }: RejectedStatement,
  isRolledBack: boolean,
): ScriptFailure {
  const { code, message, detail, hint, where } = error;
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) {
    throw new AgentError(
      `the connection to PostgreSQL was lost during ${scriptLabel(script)} (${message}); run it again`,
      { cause: error },
    );
  }
  return {
    ...nameOf(script),
    line,
    statement,
    sqlstate: code,
    message,
    takenBack: isRolledBack,
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(where === undefined ? {} : { context: where }),
  };
}

/** The failure without anything that could be a value of a row. */
function withoutValues({ detail: _, hint: __, context, ...failure }: ScriptFailure): ScriptFailure {
  return { ...failure, message: redactMessage(failure.sqlstate, failure.message, context) };
}

function nameOf({
  package: owner,
  from,
  to,
  name,
}: UpgradeScript): Omit<AppliedScript, "seconds" | "warnings"> {
  return { package: owner, from, to, name };
}

function lastLine(text: string): number {
  return text.trimEnd().split("\n").length;
}

function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1000;
}
