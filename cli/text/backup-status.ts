import type { BackupsObservation } from "../../model/backup/protocol";
import { parseBackupId } from "../../model/base/names";
import { ageText, timestampText } from "../base/time-text";
import type { Paint } from "../base/paint";

/** Which backup is the newest, what is being done, what is wrong, and when the next ones are made. */
export function backupRows(
  stack: string,
  seen: BackupsObservation,
  now: Date,
  paint: Paint,
): string[][] {
  const { newest, newestVerified, lastAttempt, running, jobs } = seen;
  const age = (id: string): string => ageText(parseBackupId(id) ?? now, now);
  const verified =
    newestVerified === newest
      ? "verified"
      : `unverified${newestVerified === null ? "" : `, last verified ${age(newestVerified)} old`}`;
  const [next] = jobs
    .filter(({ kind }) => kind === "backup")
    .flatMap(({ name, next }) => next.slice(0, 1).map((moment) => ({ name, moment })))
    .sort((a, b) => a.moment.localeCompare(b.moment));
  // A server that makes none by itself lacks nothing.
  const none = next ? paint.warn("no backup yet") : "no backup yet";
  const told = [
    newest === null ? none : `${newest}, ${age(newest)} old, ${verified}`,
    ...(running?.kind === "backup" ? ["one is being made"] : []),
    ...(next
      ? [`next ${timestampText(new Date(next.moment))} by ${next.name}`]
      : ["none by itself"]),
  ];
  const failed = lastAttempt?.result === "failed" ? lastAttempt : undefined;
  const rows = [["backups", told.join(" · ")]];
  if (failed) {
    const [head = "", cause = ""] = failed.text.split("\n");
    const why = cause.trim().replace(/^cause +/, "");
    const when = ageText(new Date(failed.startedAt), now);
    rows.push(["", paint.bad(`failed ${when} ago: ${head}${why === "" ? "" : ` (${why})`}`)]);
    const log = failed.logs.at(-1);
    if (log !== undefined) rows.push(["", `npx stagecraft log ${stack} ${log}`]);
  }
  // Of a backup that was made and could not be copied off-site, only its job tells.
  const faulty = jobs.filter(
    ({ kind, last }) => last?.succeeded === false && (kind !== "backup" || !failed),
  );
  for (const { name, last } of faulty) {
    rows.push(["", paint.bad(`${name} failed: ${last?.text.split("\n")[0] ?? ""}`)]);
  }
  for (const late of seen.late) {
    rows.push(["", `${paint.bad(late)} · npx stagecraft backups ${stack}`]);
  }
  for (const { name, next: moments } of jobs.filter(({ kind }) => kind === "backup")) {
    const told = moments.map((moment) => timestampText(new Date(moment))).join(", ");
    if (moments.length > 0) rows.push(["", `${name} runs next at ${told}`]);
  }
  return rows;
}
