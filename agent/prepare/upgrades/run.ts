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
import { connect } from "../../postgres/connect";
import { logLine } from "../../system/progress";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { noServerLogging } from "../../postgres/no-server-logging";
import { runStatements, type RejectedStatement } from "../../postgres/run-statements";
import { ensureLedger, readLedger, recordScript } from "./ledger";

/** Where upgrade scripts are applied. */
export interface UpgradeTarget {
  /** The database to connect to, e.g. `timesheets__incoming`. */
  readonly database: string;
  /** The role that runs them and owns what they make. */
  readonly owner: string;
  /** The server, as the ledger tells it. */
  readonly server: string;
  /** Whether the values there are still to be masked, and so told nowhere. */
  readonly masked?: boolean | undefined;
}

/** Seconds that a script may wait for a lock, and that one statement may take. */
const lockSeconds = 10;
const statementSeconds = 3600;

/** Warnings kept of a script. */
const maxWarnings = 20;

/** What is applied to a database and what is pending; writes nothing. */
export async function inspectUpgrades(
  { database, owner }: Omit<UpgradeTarget, "server">,
  { scripts, rules }: Upgrades,
): Promise<UpgradePlan> {
  const client = await connect(database, { role: owner });
  try {
    return planUpgrades(scripts, await readLedger(client, rules.version), rules);
  } finally {
    await client.end();
  }
}

/**
 * Applies the pending scripts to a database, each in a transaction of its own together with its line in the ledger, and
 * stops at the first that fails: what came before it stays. A failure of a script is in the report; what keeps them from
 * being tried at all is, too. Throws only when PostgreSQL is lost.
 */
export async function runUpgrades(
  target: UpgradeTarget,
  upgrades: Upgrades,
): Promise<UpgradesReport> {
  const started = performance.now();
  const { pending, problems: unfit, notes } = await inspectUpgrades(target, upgrades);
  const problems = [...unfit, ...pending.flatMap(contentProblems)];
  const applied: AppliedScript[] = [];
  let failure: ScriptFailure | undefined;
  for (const script of problems.length > 0 ? [] : pending) {
    const outcome = await runScript(target, script);
    if ("line" in outcome) {
      failure = outcome;
      break;
    }
    applied.push(outcome);
  }
  const { versions } =
    applied.length > 0 ? await inspectUpgrades(target, upgrades) : { versions: [] };
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

/** What is wrong with a script as it came: the program has looked at it already, but a request may be anybody's. */
function contentProblems(script: UpgradeScript): string[] {
  const label = scriptLabel(script);
  if (sha256Of(script.text) !== script.sha256)
    return [`${label} did not arrive whole: its SHA-256 is not ${script.sha256}`];
  return inspectScript(script.text).problems.map((problem) => `${label}, ${problem}`);
}

async function runScript(
  { database, owner, server, masked = false }: UpgradeTarget,
  script: UpgradeScript,
): Promise<AppliedScript | ScriptFailure> {
  logLine(`${scriptLabel(script)} …`);
  const started = performance.now();
  // A connection for each: what one sets, the next does not see.
  const client = await connect(database, {
    role: owner,
    lock_timeout: `${lockSeconds}s`,
    statement_timeout: `${statementSeconds}s`,
    client_min_messages: "warning",
    ...(masked ? noServerLogging : {}),
  });
  const warnings: string[] = [];
  client.on("notice", ({ severity, code, message = "", where }) => {
    if (severity !== "WARNING" || warnings.length === maxWarnings) return;
    warnings.push(masked ? redactMessage(code, message, where) : message);
  });
  try {
    const { inTransaction } = inspectScript(script.text);
    await ensureLedger(client);
    const refused = inTransaction
      ? await runInTransaction(client, script)
      : await runText(client, script.text);
    if (refused) {
      const failure = failureOf(script, refused, inTransaction);
      return masked ? withoutValues(failure) : failure;
    }
    const seconds = secondsSince(started);
    // The script may have become somebody else.
    await client.query(`RESET SESSION AUTHORIZATION; SET ROLE ${q(owner)}`);
    const appliedAt = new Date().toISOString();
    await recordScript(client, { ...script, appliedAt, appliedBy: server, seconds });
    if (inTransaction) await client.query("COMMIT");
    return { ...nameOf(script), seconds, warnings };
  } finally {
    // What is open is rolled back with the session.
    await client.end().catch(() => undefined);
  }
}

/** Leaves the transaction open; constraints that wait for its end are checked. */
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
    onRejected: (refused) => {
      first = refused;
      return false;
    },
  });
  return first;
}

/** Throws when it was not the script that failed, but the connection. */
function failureOf(
  script: UpgradeScript,
  { line, statement, error }: RejectedStatement,
  takenBack: boolean,
): ScriptFailure {
  const { code, message, detail, hint, where } = error;
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) {
    throw new AgentError(
      `PostgreSQL was lost during ${scriptLabel(script)} (${message}); run it again`,
      { cause: error },
    );
  }
  return {
    ...nameOf(script),
    ...{ line, statement, sqlstate: code, message, takenBack },
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(where === undefined ? {} : { context: where }),
  };
}

/** Without what may be a value of a row. */
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
