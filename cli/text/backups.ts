import type { CatalogueEntry } from "../../model/backup/catalogue";
import type { Catalogue, PruneResult } from "../../model/backup/catalogue-protocol";
import { newestVerified } from "../../model/backup/catalogue";
import { parseBackupId } from "../../model/base/names";
import { formatAge, formatBytes, formatDuration } from "../../model/base/units";
import { noColors, type Paint } from "../base/paint";
import { timestampText } from "../base/time-text";
import { alignColumns } from "../base/table";

const headings = ["id", "age", "databases", "size", "verified", "kept as", "where"];

/** Databases told by name in a line of the table. */
const namedDatabases = 2;

/** Characters of the reason why an attempt failed; its log has all of it. */
const reasonLength = 40;

/** What `stagecraft backups` prints: a line for each backup and failed attempt, newest first, and how things stand. */
export function backupsText(catalogue: Catalogue, stack: string, paint: Paint = noColors): string {
  const now = new Date(catalogue.now);
  const kept = new Map(catalogue.judgements.map(({ id, rules, why }) => [id, { rules, why }]));
  const rows = catalogue.entries.toReversed().map((entry) => {
    const { rules = [], why = "" } = kept.get(entry.id) ?? {};
    const backup = entry.backup ?? entry.away;
    const keptAs = backup ? rules.join(" · ") || `goes: ${why}` : "not a backup";
    return [
      entry.id,
      ageOf(entry.id, now),
      databasesOf(entry),
      backup ? formatBytes(backup.bytes) : "–",
      verifiedText(entry),
      keptAs,
      whereText(entry, stack),
    ];
  });
  const table = rows.length === 0 ? ["no backups yet"] : alignColumns([headings, ...rows]);
  return [...table, summaryLine(catalogue, now, paint)].join("\n");
}

/** What `stagecraft backups forget` prints: each backup, whether it stays, and the rule. */
export function forgetText({ judgements, removed }: PruneResult): string {
  const rows = judgements.map(({ id, keep, rules, why }) => {
    const verb = removed.includes(id) ? "removed" : "remove";
    return [id, keep ? "keep" : verb, keep ? rules.join(" · ") : why];
  });
  return rows.length === 0 ? "no backups yet" : alignColumns(rows).join("\n");
}

function ageOf(id: string, now: Date): string {
  const moment = parseBackupId(id);
  if (!moment) return "–";
  const seconds = (now.getTime() - moment.getTime()) / 1000;
  return seconds < 0 ? "to come" : formatAge(seconds);
}

function databasesOf(entry: CatalogueEntry): string {
  const backup = entry.backup ?? entry.away;
  if (!backup) return "–";
  const names = backup.databases.map(({ name }) => name);
  if (names.length <= namedDatabases) return names.join(", ");
  return `${names.slice(0, namedDatabases).join(", ")} + ${names.length - namedDatabases}`;
}

function verifiedText({ backup, away, attempt, verification }: CatalogueEntry): string {
  if (verification?.result === "failed") return "✘ not good";
  if (!backup && !away) {
    return attempt?.result === "failed" ? `✘ ${reasonOf(attempt.text)}` : "✘ not here";
  }
  if (!verification) return "not yet";
  if (!verification.restored) return "checksums";
  if (!backup) return "✔";
  return `✔ restored ${formatDuration(verification.seconds)}`;
}

/** The cause where the text tells one, else its first line. */
function reasonOf(text: string): string {
  const cause = /^\s*cause\s+(.*)$/m.exec(text)?.[1] ?? text.split("\n")[0] ?? "";
  const reason = cause.replace(/^no backup was made: /, "");
  return reason.length > reasonLength ? `${reason.slice(0, reasonLength - 1)}…` : reason;
}

function whereText(
  { backup, attempt, verification, offsite, id }: CatalogueEntry,
  stack: string,
): string {
  const places = [
    ...(backup ? ["here"] : []),
    ...(offsite?.result === "uploaded" ? ["off-site"] : []),
  ];
  if (places.length > 0 && verification?.result !== "failed") return places.join(", ");
  const log = attempt?.logs[0];
  if (!backup && log !== undefined) return `log: npx stagecraft log ${stack} ${log}`;
  const why =
    verification?.result === "failed" ? `why: npx stagecraft backups ${stack} --json` : "";
  return [...places, why].filter((text) => text !== "").join(", ") || id;
}

/** `next: 22 Nov 2026 03:29 UTC · newest verified 5 h old (limit 26 h) · 212 GB free`. */
function summaryLine({ entries, ...seen }: Catalogue, now: Date, paint: Paint): string {
  const newest = newestVerified(entries, now);
  const limit = seen.verifiedLimit === null ? "" : ` (limit ${seen.verifiedLimit})`;
  const age = newest === null ? "none verified" : `newest verified ${ageOf(newest, now)} old`;
  return [
    seen.next === null ? "next: none is scheduled" : `next: ${timestampText(new Date(seen.next))}`,
    seen.late === null ? `${age}${limit}` : paint.bad(seen.late),
    ...(seen.freeBytes === null ? [] : [`${formatBytes(seen.freeBytes)} free`]),
  ].join(" · ");
}
