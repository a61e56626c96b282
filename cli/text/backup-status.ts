import type { BackupsObservation } from "../../model/backup/protocol";
import { parseBackupId } from "../../model/base/names";
import { databasesText } from "../../model/backup/backed-up-databases";
import { ageText, timestampText } from "../base/time-text";
import type { Paint } from "../base/paint";

/** The newest backup, a running one, failures, when the next backups run, and the key that they are signed with. */
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
    .flatMap(({ name, next }) => next.slice(0, 1).map((time) => ({ name, time })))
    .sort((a, b) => a.time.localeCompare(b.time));
  // Without a schedule, no backup is expected.
  const none = next ? paint.warn("no backup yet") : "no backup yet";
  const facts = [
    newest === null ? none : `${newest}, ${age(newest)} old, ${verified}`,
    ...(running?.kind === "backup" ? ["a backup is running"] : []),
    ...(next ? [`next ${timestampText(new Date(next.time))} by ${next.name}`] : ["no schedule"]),
  ];
  const failed = lastAttempt?.result === "failed" ? lastAttempt : undefined;
  const rows = [["backups", facts.join(" · ")], ...databaseRows(seen, age)];
  if (seen.offsite) {
    const { remote, newest: copied, problem } = seen.offsite;
    const copy = copied === null ? paint.warn("no copy yet") : `${copied}, ${age(copied)} old`;
    rows.push(["off-site", `${copy} · ${remote}`]);
    if (problem !== null) rows.push(["", paint.bad(problem.split("\n")[0] ?? "")]);
  }
  if (failed) {
    const [head = "", cause = ""] = failed.text.split("\n");
    const why = cause.trim().replace(/^cause +/, "");
    const when = ageText(new Date(failed.startedAt), now);
    rows.push(["", paint.bad(`failed ${when} ago: ${head}${why === "" ? "" : ` (${why})`}`)]);
    const log = failed.logs.at(-1);
    if (log !== undefined) rows.push(["", `npx stagecraft log ${stack} ${log}`]);
  }
  // A backup that could not be copied off-site appears only as the failure of its job.
  const faulty = jobs.filter(
    ({ kind, last }) => last?.succeeded === false && (kind !== "backup" || !failed),
  );
  for (const { name, last } of faulty) {
    rows.push(["", paint.bad(`${name} failed: ${last?.text.split("\n")[0] ?? ""}`)]);
  }
  for (const { database, backup } of seen.missing ?? []) {
    const text = `${database} is missing, and is in backup ${backup}`;
    rows.push(["", `${paint.bad(text)} · npx stagecraft recover ${stack}`]);
  }
  for (const problem of seen.rejected ?? []) {
    rows.push(["", paint.bad(problem.replaceAll("<stack>", stack))]);
  }
  for (const late of seen.late) {
    rows.push(["", `${paint.bad(late)} · npx stagecraft backups ${stack}`]);
  }
  for (const { name, next: times } of jobs.filter(({ kind }) => kind === "backup")) {
    const text = times.map((time) => timestampText(new Date(time))).join(", ");
    if (times.length > 0) rows.push(["", `${name} runs next at ${text}`]);
  }
  if (newest !== null && seen.signingKey != null) rows.push(["", `signed with ${seen.signingKey}`]);
  return rows;
}

/** A row for the databases of each newest backup, unless all databases have the same one. */
function databaseRows(
  { newest, databases = [] }: BackupsObservation,
  age: (id: string) => string,
): string[][] {
  const groups = new Map<string, { newest: string; verified: string | null; names: string[] }>();
  for (const { name, newest, newestVerified } of databases) {
    const key = `${newest} ${newestVerified ?? ""}`;
    const names = [...(groups.get(key)?.names ?? []), name];
    groups.set(key, { newest, verified: newestVerified, names });
  }
  const shown = [...groups.values()];
  if (shown.every((group) => group.newest === newest)) return [];
  return shown.map(({ newest, verified, names }) => {
    const state =
      verified === null
        ? "none verified"
        : verified === newest
          ? "verified"
          : `last verified ${age(verified)} old`;
    return ["", `${databasesText(names)}: ${newest}, ${age(newest)} old, ${state}`];
  });
}
