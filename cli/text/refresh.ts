import type { RestoreResult } from "../../model/restore/protocol";
import { formatCount, formatDuration, plural } from "../../model/base/units";
import { parseBackupId, previousVersionName, type BackupId } from "../../model/base/names";
import type { UpdatePreview } from "../pulumi/preview";
import { applicationRowsOfRefresh } from "./application";
import { changesText } from "../pulumi/progress";
import { timestampText } from "../base/time-text";
import { alignColumns } from "../base/table";
import { isRolledBack } from "./restore-result";

/** What `stagecraft refresh --preview` prints. */
export function previewText(
  { notes, warnings, changes }: UpdatePreview,
  stack: string,
  backup: string,
): string {
  return [
    ...notes,
    ...warnings.map((text) => `  warning: ${text}`),
    `  pulumi up would result in: ${changesText(changes)}`,
    `Nothing has been changed. To refresh: npx stagecraft refresh ${stack} --backup ${backup}`,
  ].join("\n");
}

/** What `stagecraft refresh --preview --json` prints. */
export function previewJson(
  { notes, warnings, changes }: UpdatePreview,
  stack: string,
  backup: string,
): string {
  return JSON.stringify({ stack, backup, plan: notes, warnings, changes }, null, 2);
}

/** A requested refresh and the path of its report. */
export interface RefreshRequest {
  readonly stack: string;
  readonly backup: BackupId;
  readonly report: string | undefined;
  /** Why the previous version cannot be rolled back to, and how to get it back. @default it can */
  readonly noRollback?: { readonly message: string; readonly fix: string } | undefined;
}

/** Result of a refresh or rollback; `result` is `undefined` if there was nothing to do. */
export function refreshedText(
  result: RestoreResult | undefined,
  { stack, backup, report = "", noRollback }: RefreshRequest,
): string {
  if (!result) return `${stack} already has the contents of ${backup}`;
  const { source, awaySeconds, steps } = result;
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  const facts = [
    `${formatDuration(seconds)} in total`,
    ...(awaySeconds > 0 ? [`downtime ${formatDuration(awaySeconds)}`] : []),
    ...preparedFacts(result),
  ];
  const verb = isRolledBack(result) ? "was rolled back to" : "has";
  return [
    `${stack} ${verb} ${contents(source)}`,
    `  ${facts.join(" · ")}`,
    ...alignColumns(
      [
        ...applicationRowsOfRefresh(result),
        [
          "previous version",
          noRollback?.message ??
            `${previousVersionName(result.database)} · to roll back: npx stagecraft rollback ${stack}`,
        ],
        ...(noRollback ? [["", `to go back: ${noRollback.fix}`]] : []),
        ["report", report === "" ? "" : `${report} · pulumi stack output report -s ${stack}`],
      ],
      "  ",
    ),
  ].join("\n");
}

function contents({ backup, server, name }: RestoreResult["source"]): string {
  const time = backup === undefined ? undefined : parseBackupId(backup);
  if (!time) return name;
  return `${server === undefined ? "the" : `${server}'s`} data of ${timestampText(time)}`;
}

function preparedFacts({ prepared }: RestoreResult): string[] {
  if (!prepared) return [];
  const { upgrades, masks, keep } = prepared;
  const skipped = keep?.tables.flatMap((table) => table.aside) ?? [];
  const skippedRows = skipped.reduce((sum, { rows }) => sum + rows, 0);
  return [
    ...(upgrades ? [plural(upgrades.applied.length, "upgrade script")] : []),
    ...(masks ? [`${formatCount(masks.values)} values masked`] : []),
    ...(keep ? [`${plural(keep.tables.length, "table")} preserved`] : []),
    ...(skippedRows > 0 ? [`${plural(skippedRows, "row")} skipped`] : []),
  ];
}

/** What `stagecraft refresh --json` prints. */
export function refreshJson(result: RestoreResult | undefined, report: string | undefined): string {
  return JSON.stringify(result ? { ...result, report } : { result: "unchanged" }, null, 2);
}
