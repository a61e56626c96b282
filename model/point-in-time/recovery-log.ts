/** When the last change was made that a recovery has brought back, by PostgreSQL's log; `undefined` where there was none. */
export function recoveryEnd(log: string): Date | undefined {
  const last = [
    ...log.matchAll(/last completed transaction was at log time ([\d-]+ [\d:.]+[+-]\d\d)/g),
  ].at(-1)?.[1];
  if (last === undefined) return undefined;
  const moment = new Date(`${last.replace(" ", "T")}:00`);
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}

/** Whether the archive ended before there was a change behind the target, by PostgreSQL's log. */
export function endedEarly(log: string): boolean {
  return log.includes("recovery ended before configured recovery target was reached");
}

/** Why a recovery failed, and the fix, by PostgreSQL's log. */
export function recoveryRefusal(log: string): string {
  if (endedEarly(log)) {
    const last = recoveryEnd(log);
    const text =
      last === undefined ? "" : `; the last change in it was made at ${last.toISOString()}`;
    return `the archive ends before that moment${text}; recover as far as it goes with: --to latest`;
  }
  const fatal = log
    .split("\n")
    .findLast(
      (line) => /\b(?:FATAL|PANIC): {2}/.test(line) && !/the database system is/.test(line),
    );
  const said = fatal?.replace(/^.*?\b(?:FATAL|PANIC): {2}/, "") ?? "it said nothing";
  return `PostgreSQL could not recover the side cluster: ${said}; try a moment before, or another backup`;
}
