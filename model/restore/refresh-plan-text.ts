import { formatAge, formatBytes, formatDuration, plural } from "../base/units";
import type { RefreshPlan } from "./refresh-plan";

/** A plan for people, a line each, the first one as a heading. */
export function planLines(plan: RefreshPlan, now: Date): string[] {
  return [heading(plan, now), ...rows(plan).map(([what, text]) => `  ${what.padEnd(16)}  ${text}`)];
}

function heading({ server, database, now: live, backup, copy }: RefreshPlan, now: Date): string {
  if (copy) return `${server} ← ${copy.place}     ${formatBytes(copy.bytes)} · unverified`;
  if (!backup) return `${server}: ${database}${live === null ? "" : ` has ${live}`}`;
  const age = (now.getTime() - Date.parse(backup.takenAt)) / 1000;
  const facts = [
    `${formatAge(age)} old`,
    formatBytes(backup.bytes),
    `PostgreSQL ${backup.postgres}`,
    backup.verifiedAt === null ? "unverified" : `verified ${clock(backup.verifiedAt)}`,
  ];
  return `${server} ← ${backup.server} ${backup.id}     ${facts.join(" · ")}`;
}

function rows(plan: RefreshPlan): [string, string][] {
  const { upgrades, masks, defuse, keep, disk, past, problems } = plan;
  if (plan.broughtBackFrom !== null) {
    return [
      [
        "back",
        `${plan.broughtBackFrom} has these contents and takes the name again, as it was left`,
      ],
    ];
  }
  const told: [string, string][] = [];
  if (plan.unread !== null) {
    told.push(["backup", `looked up in ${plan.unread} when this update lets the agent read it`]);
  }
  if (plan.copy) {
    const text = "fetched, decrypted and compared with its manifest by the update";
    told.push(["copy", `${text}; what its contents need shows then`]);
  }
  if (upgrades && upgrades.scripts.length > 0)
    told.push(["upgrade scripts", upgradesText(upgrades)]);
  if (masks) told.push(["masks", masksText(masks)]);
  if (defuse.length > 0) {
    told.push(["defuse", `${plural(defuse.length, "statement")}: ${defuse.join(", ")}`]);
  }
  if (keep.length > 0) told.push(["keep", keep.join(", ")]);
  if (disk)
    told.push(["disk", `needs ${formatBytes(disk.needed)}, ${formatBytes(disk.free)} free`]);
  told.push(["takes", durationText(past)]);
  return [...told, ...problems.map((problem): [string, string] => ["✘", problem])];
}

/** Names shown of pending scripts; all are in the plan as JSON. */
const shownScripts = 12;

function upgradesText({ scripts, pending }: NonNullable<RefreshPlan["upgrades"]>): string {
  if (!pending)
    return `${plural(scripts.length, "script")}; which are pending shows when the data is there`;
  if (pending.length === 0) return `none of ${scripts.length} pending`;
  const shown = pending.slice(0, shownScripts).join(", ");
  const more = pending.length - shownScripts;
  return `${pending.length} pending    ${shown}${more > 0 ? ` and ${more} more` : ""}`;
}

function masksText(masks: NonNullable<RefreshPlan["masks"]>): string {
  const { columns, tables, classify, classified } = masks;
  const scope = `${plural(columns, "column")} in ${plural(tables, "table")}`;
  if (classify !== "strict") return scope;
  return classified === null
    ? `${scope}; strict: every column must be classified`
    : `${scope}; strict: all ${plural(classified, "column")} are classified`;
}

function durationText(past: RefreshPlan["past"]): string {
  if (past.length === 0) return "not known yet: this is the first; away for less than 1 s";
  const times = past.map(({ seconds }) => seconds);
  const middle = [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  const away = Math.max(...past.map(({ awaySeconds }) => awaySeconds));
  const last = times.map((seconds) => formatDuration(seconds)).join(", ");
  return `about ${formatDuration(middle)} (last: ${last}); away for ${away < 1 ? "less than 1 s" : formatDuration(away)}`;
}

function clock(time: string): string {
  return time.slice(11, 16);
}
