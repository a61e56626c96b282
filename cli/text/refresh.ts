import type { RestoreResult } from "../../model/restore/protocol";
import { formatCount, formatDuration, plural } from "../../model/base/units";
import { parseBackupId, previousVersionName, type BackupId } from "../../model/base/names";
import type { UpdatePreview } from "../pulumi/preview";
import { applicationRowsOfRefresh } from "./application";
import { changesText } from "../pulumi/progress";
import { timestampText } from "../base/time-text";
import { alignColumns } from "../base/table";

/** What `stagecraft refresh --preview` prints. */
export function previewText(
  { notes, changes }: UpdatePreview,
  stack: string,
  backup: string,
): string {
  return [
    ...notes,
    `  pulumi up would make: ${changesText(changes)}`,
    `Nothing has been changed. To do it: npx stagecraft refresh ${stack} --backup ${backup}`,
  ].join("\n");
}

/** The same for a program. */
export function previewJson(
  { notes, changes }: UpdatePreview,
  stack: string,
  backup: string,
): string {
  return JSON.stringify({ stack, backup, plan: notes, changes }, null, 2);
}

/** What a refresh was asked for, and where its report is. */
export interface RefreshRequest {
  readonly stack: string;
  readonly backup: BackupId;
  readonly report: string | undefined;
}

/** What a refresh, or a way back, ended with; `result` is `undefined` when there was nothing to do. */
export function refreshedText(
  result: RestoreResult | undefined,
  { stack, backup, report = "" }: RefreshRequest,
): string {
  if (!result) return `${stack} has the contents of ${backup} already`;
  const { source, awaySeconds, steps } = result;
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  const facts = [
    `${formatDuration(seconds)} in all`,
    ...(awaySeconds > 0 ? [`away for ${formatDuration(awaySeconds)}`] : []),
    ...preparedFacts(result),
  ];
  const verb = result.result === "brought back" ? "is back at" : "has";
  return [
    `${stack} ${verb} ${contents(source)}`,
    `  ${facts.join(" · ")}`,
    ...alignColumns(
      [
        ...applicationRowsOfRefresh(result),
        [
          "before",
          `kept as ${previousVersionName(result.database)}: npx stagecraft rollback ${stack}`,
        ],
        ["report", report === "" ? "" : `${report} · pulumi stack output report -s ${stack}`],
      ],
      "  ",
    ),
  ].join("\n");
}

function contents({ backup, server, name }: RestoreResult["source"]): string {
  const moment = backup === undefined ? undefined : parseBackupId(backup);
  if (!moment) return name;
  return `${server === undefined ? "the" : `${server}'s`} data of ${timestampText(moment)}`;
}

function preparedFacts({ prepared }: RestoreResult): string[] {
  if (!prepared) return [];
  const { upgrades, masks, keep } = prepared;
  const aside = keep?.tables.flatMap((table) => table.aside) ?? [];
  const rowsAside = aside.reduce((sum, { rows }) => sum + rows, 0);
  return [
    ...(upgrades ? [plural(upgrades.applied.length, "upgrade script")] : []),
    ...(masks ? [`${formatCount(masks.values)} values masked`] : []),
    ...(keep ? [`${plural(keep.tables.length, "table")} kept`] : []),
    ...(rowsAside > 0 ? [`${plural(rowsAside, "row")} put aside`] : []),
  ];
}

/** The same for a program. */
export function refreshJson(result: RestoreResult | undefined, report: string | undefined): string {
  return JSON.stringify(result ? { ...result, report } : { result: "unchanged" }, null, 2);
}
