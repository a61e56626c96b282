import { formatDuration, plural } from "../base/units";
import type { PackageVersion, ScriptFailure, UpgradesReport } from "./protocol";
import { defaultPackage, scriptLabel } from "./script";

/** Maximum length of an excerpt of a statement or message, in characters. */
const maxLength = 120;

/** Formats a failed script in a few lines: cause, what was rolled back, fix. */
export function scriptFailureLines(failure: ScriptFailure): string[] {
  const { sqlstate, message, detail, hint, statement } = failure;
  const fix = fixFor(failure);
  return [
    `  script    ${scriptLabel(failure)}, line ${failure.line}`,
    `  cause     ${sqlstate}  ${short(message)}   ${short(statement)}`,
    ...(detail === undefined ? [] : [`            ${short(detail)}`]),
    ...(hint === undefined ? [] : [`            ${short(hint)}`]),
    failure.takenBack
      ? "  rollback  all changes of this script"
      : "  rollback  none: the script runs without a transaction, so its previous changes remain",
    ...(fix === undefined ? [] : [`  fix       ${fix}`]),
  ];
}

/** Formats the result of applying the pending scripts. */
export function upgradesReportText(report: Omit<UpgradesReport, "text">): string {
  const { result, applied, failure, problems, seconds } = report;
  const count = plural(applied.length, "upgrade script");
  switch (result) {
    case "refused":
      return ["the upgrade scripts do not match the data", ...problems.map(indented)].join("\n");
    case "failed": {
      const before = applied.length === 0 ? "" : `; ${count} before it succeeded`;
      const lines = failure === undefined ? [] : scriptFailureLines(failure);
      return [`an upgrade script failed${before}`, ...lines].join("\n");
    }
    case "applied":
      if (applied.length === 0) return "no upgrade script was pending";
      return `${count} in ${formatDuration(seconds)}: ${applied.map(scriptLabel).join(", ")}`;
  }
}

/** Formats versions: `3.4.0.10.0`, or `acs-kernel 5.10.1, intranet 3.4.0.10.0`. */
export function versionsText(versions: readonly PackageVersion[]): string {
  return versions
    .map(({ package: owner, version }) =>
      owner === defaultPackage ? version : `${owner} ${version}`,
    )
    .join(", ");
}

function fixFor({ sqlstate, message }: ScriptFailure): string | undefined {
  if (sqlstate === "25001")
    return 'begin the script with "-- stagecraft: no transaction", with this statement only';
  if (sqlstate === "42601" && message.includes('"\\"'))
    return "remove the psql command; psql does not run upgrade scripts";
  if (sqlstate === "42601" && message.includes('":"'))
    return "replace the psql variable by its value; psql does not run upgrade scripts";
  if (sqlstate === "42501" && message.includes("affected by row-level security"))
    return "policies of the table apply to its owner: put ALTER TABLE … NO FORCE ROW LEVEL SECURITY before the statement and … FORCE … after it";
  if (sqlstate === "42501")
    return "the database's owner runs the scripts; remove what only a superuser may do";
  if (sqlstate === "55P03" || sqlstate === "57014")
    return "another session holds a lock, or the statement takes too long; test it on a copy: npx stagecraft upgrades <stack> --dry-run";
  return undefined;
}

function indented(line: string): string {
  return `  ${line}`;
}

function short(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
}
