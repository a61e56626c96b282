import { formatAge, formatBytes, formatDuration, plural } from "../base/units";
import type { RefreshPlan } from "./refresh-plan";

/** Formats a plan, as lines of which the first is a heading. */
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
    ...(backup.signedBy === null ? ["unsigned"] : []),
  ];
  return `${server} ← ${backup.server} ${backup.id}     ${facts.join(" · ")}`;
}

function rows(plan: RefreshPlan): [string, string][] {
  const { upgrades, masks, defuse, keep, disk, past, problems } = plan;
  if (plan.broughtBackFrom !== null) {
    return [
      ["roll back", `${plan.broughtBackFrom} has these contents and is swapped in unchanged`],
    ];
  }
  const lines: [string, string][] = [];
  if (plan.unread !== null) {
    lines.push([
      "backup",
      `read from ${plan.unread} once this update has mounted it for the agent`,
    ]);
  }
  if (plan.copy) {
    const text = "fetched, decrypted and compared with its manifest during the update";
    lines.push(["copy", `${text}; further requirements are known only then`]);
  }
  if (upgrades && upgrades.scripts.length > 0)
    lines.push(["upgrade scripts", upgradesText(upgrades)]);
  if (masks) lines.push(["masks", masksText(masks)]);
  if (defuse.length > 0) {
    lines.push(["defuse", `${plural(defuse.length, "statement")}: ${defuse.join(", ")}`]);
  }
  if (keep.length > 0) lines.push(["preserve", keep.join(", ")]);
  if (disk)
    lines.push(["disk", `needs ${formatBytes(disk.needed)}, ${formatBytes(disk.free)} free`]);
  lines.push(["duration", durationText(past)]);
  return [...lines, ...problems.map((problem): [string, string] => ["✘", problem])];
}

/** Number of pending scripts shown by name; the plan as JSON contains all. */
const shownScripts = 12;

function upgradesText({ scripts, pending }: NonNullable<RefreshPlan["upgrades"]>): string {
  if (!pending)
    return `${plural(scripts.length, "script")}; pending ones are known once the data is restored`;
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
  if (past.length === 0) return "unknown, this is the first refresh; downtime less than 1 s";
  const times = past.map(({ seconds }) => seconds);
  const median = [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  const downtime = Math.max(...past.map(({ awaySeconds }) => awaySeconds));
  const last = times.map((seconds) => formatDuration(seconds)).join(", ");
  return `about ${formatDuration(median)} (last: ${last}); downtime ${downtime < 1 ? "less than 1 s" : formatDuration(downtime)}`;
}

function clock(time: string): string {
  return time.slice(11, 16);
}
