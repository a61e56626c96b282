/** Time of the last recovered transaction, from PostgreSQL's server log; `undefined` if no transaction was recovered. */
export function lastRecoveredChange(log: string): Date | undefined {
  const last = [
    ...log.matchAll(/last completed transaction was at log time ([\d-]+ [\d:.]+[+-]\d\d)/g),
  ].at(-1)?.[1];
  if (last === undefined) return undefined;
  const time = new Date(`${last.replace(" ", "T")}:00`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** Whether the WAL ended before the recovery target, from PostgreSQL's server log. */
export function archiveEndedEarly(log: string): boolean {
  return log.includes("recovery ended before configured recovery target was reached");
}

/** Why a recovery failed, with the fix, from PostgreSQL's server log. */
export function recoveryFailure(log: string): string {
  if (archiveEndedEarly(log)) {
    const last = lastRecoveredChange(log);
    const text = last === undefined ? "" : `; its last transaction is from ${last.toISOString()}`;
    return `the archive ends before that time${text}; recover to the end of the archive with: --to latest`;
  }
  const fatal = log
    .split("\n")
    .findLast(
      (line) => /\b(?:FATAL|PANIC): {2}/.test(line) && !/the database system is/.test(line),
    );
  const message = fatal?.replace(/^.*?\b(?:FATAL|PANIC): {2}/, "") ?? "no error message";
  return `PostgreSQL could not start the recovery instance: ${message}; try an earlier time, or another backup`;
}
