import { formatDuration, plural } from "../../model/base/units";
import type { ScriptState, UpgradesReport, UpgradesResult } from "../../model/upgrades/protocol";
import { defaultPackage } from "../../model/upgrades/script";
import { scriptFailureLines, versionsText } from "../../model/upgrades/report-text";
import type { StackName } from "../project/stacks";
import { alignColumns } from "../base/table";

/** Number of scripts from before the ledger that are shown. */
const shownBefore = 3;

/** Which upgrade scripts are applied and which are pending; the result of a dry run. */
export function upgradesText(stack: StackName, result: UpgradesResult): string {
  const { database, versions, scripts, problems, notes, dryRun } = result;
  const where = versions.length === 0 ? "" : `   database at ${versionsText(versions)}`;
  const pending = scripts.filter(({ state }) => state === "pending").length;
  return [
    `upgrade scripts of ${stack}${where}`,
    ...scriptLines(scripts),
    ...problems.map((problem) => `  ✘ ${problem}`),
    ...notes.map((note) => `  – ${note}`),
    ...(dryRun ? dryRunLines(database, dryRun) : [closing(stack, pending, problems.length)]),
  ].join("\n");
}

function scriptLines(scripts: readonly ScriptState[]): string[] {
  const before = scripts.filter(({ state }) => state === "before");
  const hidden = before.slice(0, -shownBefore);
  const rows = scripts
    .filter((script) => !hidden.includes(script))
    .map((script) => [stateTexts[script.state], ...nameCells(script, scripts), applied(script)]);
  const first = hidden.length === 0 ? [] : [`  ${plural(hidden.length, "earlier script")}`];
  return [...first, ...alignColumns(rows, "  ")];
}

const stateTexts: Readonly<Record<ScriptState["state"], string>> = {
  before: "included",
  adopted: "applied",
  applied: "applied",
  pending: "pending",
  unknown: "applied",
};

function nameCells(script: ScriptState, all: readonly ScriptState[]): string[] {
  const isOne = all.every((other) => other.package === defaultPackage);
  return isOne ? [script.name] : [script.package, script.name];
}

function applied({ state, appliedAt, appliedBy, seconds }: ScriptState): string {
  if (state === "adopted") return "by another tool";
  if (appliedAt === undefined) return "";
  const took = seconds === undefined ? "" : `, ${formatDuration(seconds)}`;
  return `${appliedAt.slice(0, 16).replace("T", " ")} UTC on ${appliedBy ?? "?"}${took}`;
}

function closing(stack: StackName, pending: number, problems: number): string {
  if (problems > 0) return "No script is applied until this is fixed.";
  if (pending === 0) return "Nothing is pending.";
  return `The next refresh applies the pending scripts. To try them on a copy: npx stagecraft upgrades ${stack} --dry-run`;
}

function dryRunLines(database: string, report: UpgradesReport): string[] {
  const { applied: through, failure, result } = report;
  const rows = through.map(({ name, seconds, warnings }) => [
    "✔",
    name,
    formatDuration(seconds),
    warnings.length === 0 ? "" : plural(warnings.length, "warning"),
  ]);
  const head = `dry run on a copy of ${database}, which has been removed`;
  if (result === "applied" && through.length === 0) return ["Nothing is pending."];
  return [
    head,
    ...alignColumns(rows, "  "),
    ...(failure ? [`  ✘ ${failure.name}`, ...scriptFailureLines(failure)] : []),
  ];
}
