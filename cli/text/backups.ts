import type { CatalogueEntry } from "../../model/backup/catalogue";
import type { Catalogue, PruneResult } from "../../model/backup/catalogue-protocol";
import { isRejected, newestVerified } from "../../model/backup/catalogue";
import { parseBackupId } from "../../model/base/names";
import { formatAge, formatBytes, formatDuration } from "../../model/base/units";
import { plainPaint, type Paint } from "../base/paint";
import { timestampText } from "../base/time-text";
import { alignColumns } from "../base/table";

const headings = ["id", "age", "databases", "size", "verified", "retained by", "where"];

/** Databases that a line of the table names. */
const namedDatabases = 2;

/** Maximum length of the reason of a failure; the log has the full text. */
const reasonLength = 40;

/** What `stagecraft backups` prints: a line for each backup and failed attempt, newest first, and a summary. */
export function backupsText(
  catalogue: Catalogue,
  stack: string,
  paint: Paint = plainPaint,
): string {
  const now = new Date(catalogue.now);
  const retention = new Map(catalogue.judgements.map(({ id, rules, why }) => [id, { rules, why }]));
  const rows = catalogue.entries.toReversed().map((entry) => {
    const { rules = [], why = "" } = retention.get(entry.id) ?? {};
    const backup = entry.backup ?? entry.away;
    const retainedBy = backup ? rules.join(" · ") || `expires: ${why}` : "not a backup";
    return [
      entry.id,
      ageOf(entry.id, now),
      databasesOf(entry),
      backup ? formatBytes(backup.bytes) : "–",
      verifiedText(entry),
      retainedBy,
      whereText(entry, stack),
    ];
  });
  const table = rows.length === 0 ? ["no backups yet"] : alignColumns([headings, ...rows]);
  return [
    ...table,
    ...authenticityLines(catalogue, stack, paint),
    summaryLine(catalogue, now, paint),
  ].join("\n");
}

/** What the marks in the column `verified` mean: which backups are unsigned, and why others are rejected. */
function authenticityLines({ entries }: Catalogue, stack: string, paint: Paint): string[] {
  const unsigned = entries.some(({ authenticity }) => authenticity?.state === "unsigned");
  const accepted = entries.some(({ authenticity }) => authenticity?.state === "accepted");
  const problems = entries.flatMap(({ authenticity }) => authenticity?.problem ?? []);
  return [
    ...problems.map((problem) => paint.bad(problem.replaceAll("<stack>", stack))),
    ...(unsigned ? ["unsigned: made by an earlier version"] : []),
    ...(accepted ? ["accepted: by an operator, by the digest of its manifest"] : []),
  ];
}

/** What `stagecraft backups forget` prints: each backup, whether it is retained, and the rule. */
export function pruneText({ judgements, removed }: PruneResult): string {
  const rows = judgements.map(({ id, keep, rules, why }) => {
    if (keep) return [id, "retained", rules.join(" · ")];
    return [id, removed.includes(id) ? "removed" : "expires", why];
  });
  return rows.length === 0 ? "no backups yet" : alignColumns(rows).join("\n");
}

function ageOf(id: string, now: Date): string {
  const time = parseBackupId(id);
  if (!time) return "–";
  const seconds = (now.getTime() - time.getTime()) / 1000;
  return seconds < 0 ? "in the future" : formatAge(seconds);
}

function databasesOf(entry: CatalogueEntry): string {
  const backup = entry.backup ?? entry.away;
  if (!backup) return "–";
  const names = backup.databases.map(({ name }) => name);
  if (names.length <= namedDatabases) return names.join(", ");
  return `${names.slice(0, namedDatabases).join(", ")} + ${names.length - namedDatabases}`;
}

function verifiedText(entry: CatalogueEntry): string {
  if (isRejected(entry)) return "✘ rejected";
  const state = entry.authenticity?.state;
  const text = verificationText(entry);
  return state === "unsigned" || state === "accepted" ? `${text} · ${state}` : text;
}

function verificationText({ backup, away, attempt, verification }: CatalogueEntry): string {
  if (verification?.result === "failed") return "✘ verification failed";
  if (!backup && !away) {
    return attempt?.result === "failed" ? `✘ ${reasonOf(attempt.text)}` : "✘ missing";
  }
  if (!verification) return "not yet";
  if (!verification.restored) return "checksum only";
  if (!backup) return "✔";
  return `✔ restored ${formatDuration(verification.seconds)}`;
}

/** The cause if the text has one, else its first line. */
function reasonOf(text: string): string {
  const cause = /^\s*cause\s+(.*)$/m.exec(text)?.[1] ?? text.split("\n")[0] ?? "";
  const reason = cause.replace(/^no backup was made: /, "");
  return reason.length > reasonLength ? `${reason.slice(0, reasonLength - 1)}…` : reason;
}

function whereText(
  { backup, attempt, verification, offsite, id }: CatalogueEntry,
  stack: string,
): string {
  const locations = [
    ...(backup ? ["here"] : []),
    ...(offsite?.result === "uploaded" ? ["off-site"] : []),
  ];
  if (locations.length > 0 && verification?.result !== "failed") return locations.join(", ");
  const log = attempt?.logs[0];
  if (!backup && log !== undefined) return `log: npx stagecraft log ${stack} ${log}`;
  const why =
    verification?.result === "failed" ? `why: npx stagecraft backups ${stack} --json` : "";
  return [...locations, why].filter((text) => text !== "").join(", ") || id;
}

/** `next: 22 Nov 2026 03:29 UTC · newest verified 5 h old (limit 26 h) · 212 GB free`. */
function summaryLine({ entries, ...seen }: Catalogue, now: Date, paint: Paint): string {
  const newest = newestVerified(entries, now);
  const limit = seen.verifiedLimit === null ? "" : ` (limit ${seen.verifiedLimit})`;
  const age = newest === null ? "none verified" : `newest verified ${ageOf(newest, now)} old`;
  return [
    seen.next === null ? "next: no schedule" : `next: ${timestampText(new Date(seen.next))}`,
    seen.late === null ? `${age}${limit}` : paint.bad(seen.late),
    ...(seen.freeBytes === null ? [] : [`${formatBytes(seen.freeBytes)} free`]),
  ].join(" · ");
}
