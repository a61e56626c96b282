import { formatDuration, plural } from "../base/units";
import type { PackageVersion, ScriptFailure, UpgradesReport } from "./protocol";
import { onlyPackage, scriptLabel } from "./script";

/** Longest excerpt of a statement or message, in characters. */
const shownLength = 120;

/** Why a script did not go through, in a few lines like those of a failed import: cause, what was taken back, fix. */
export function failureText(failure: ScriptFailure): string[] {
  const { sqlstate, message, detail, hint, statement, takenBack } = failure;
  const fix = fixFor(failure);
  return [
    `  script    ${scriptLabel(failure)}, line ${failure.line}`,
    `  cause     ${sqlstate}  ${short(message)}   ${short(statement)}`,
    ...(detail === undefined ? [] : [`            ${short(detail)}`]),
    ...(hint === undefined ? [] : [`            ${short(hint)}`]),
    takenBack
      ? "  undone    all that this script did"
      : "  undone    nothing: the script runs without a transaction, so what it did before stays",
    ...(fix === undefined ? [] : [`  fix       ${fix}`]),
  ];
}

/** What became of the pending scripts, for people. */
export function reportText(report: Omit<UpgradesReport, "text">): string {
  const { result, applied, failure, problems, seconds } = report;
  const count = plural(applied.length, "upgrade script");
  switch (result) {
    case "refused":
      return ["the upgrade scripts do not fit the data", ...problems.map(indented)].join("\n");
    case "failed": {
      const before = applied.length === 0 ? "" : `; ${count} before it went through`;
      const lines = failure === undefined ? [] : failureText(failure);
      return [`an upgrade script failed${before}`, ...lines].join("\n");
    }
    case "applied":
      if (applied.length === 0) return "no upgrade script was pending";
      return `${count} in ${formatDuration(seconds)}: ${applied.map(scriptLabel).join(", ")}`;
  }
}

/** Where data is: `3.4.0.10.0`, or `acs-kernel 5.10.1, intranet 3.4.0.10.0`. */
export function versionsText(versions: readonly PackageVersion[]): string {
  return versions
    .map(({ package: owner, version }) => (owner === onlyPackage ? version : `${owner} ${version}`))
    .join(", ");
}

function fixFor({ sqlstate, message }: ScriptFailure): string | undefined {
  if (sqlstate === "25001")
    return 'begin the script with "-- stagecraft: no transaction", and put nothing else into it';
  if (sqlstate === "42601" && message.includes('"\\"'))
    return "take the psql command out; upgrade scripts are not run by psql";
  if (sqlstate === "42601" && message.includes('":"'))
    return "write the value instead of a psql variable; upgrade scripts are not run by psql";
  if (sqlstate === "42501")
    return "the database's owner runs the scripts; what only a superuser may do does not belong into one";
  if (sqlstate === "55P03" || sqlstate === "57014")
    return "somebody holds a lock, or the statement takes too long; try it on a copy: npx stagecraft upgrades <stack> --dry-run";
  return undefined;
}

function indented(line: string): string {
  return `  ${line}`;
}

function short(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > shownLength ? `${line.slice(0, shownLength - 1)}…` : line;
}
