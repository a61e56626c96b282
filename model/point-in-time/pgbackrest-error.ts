/** Fixes by pgBackRest's error code, or by the error text. */
const fixes: readonly (readonly [RegExp, string])[] = [
  [
    /No space left on device/i,
    "free space on the disk of the archive volume, or keep fewer full backups",
  ],
  [
    /Read-only file system|Permission denied/i,
    "make the archive volume writable for PostgreSQL's user",
  ],
  [
    /^\[045\]/,
    "this cluster was reset to an earlier state and is writing the same WAL segments again; move the archive away, then switch backups.pointInTime off and on again",
  ],
  [/^\[050\]/, "another backup is running; wait until it has finished"],
  [
    /^\[(?:028|051)\]/,
    "the archive belongs to another cluster; run pulumi up again to create a stanza for this one",
  ],
  [/^\[(?:055|103)\]/, "the archive was emptied or recreated; run pulumi up again"],
  [/^\[082\]/, "PostgreSQL could not archive WAL; see the cause with: npx stagecraft status"],
];

/** Why pgBackRest failed, in one line, with the fix if the error is known. */
export function pgBackRestProblem(stderr: string, status: number): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => /\bERROR: \[\d+\]/.test(line));
  const messages =
    at < 0
      ? lines.filter((line) => line !== "")
      : [errorOf(lines[at] ?? ""), ...detailsAfter(lines, at)];
  const text = messages.join("; ").replaceAll(":; ", ": ").trim();
  if (text === "") return `pgbackrest exited with status ${status} without a message`;
  const fix = fixes.find(([pattern]) => pattern.test(text))?.[1];
  return `pgbackrest: ${text.replace(/^\[\d+\]: /, "")}${fix === undefined ? "" : `; ${fix}`}`;
}

function errorOf(line: string): string {
  return line.replace(/^.*?\bERROR: /, "");
}

/** The lines after an error that belong to it, up to its hints. */
function detailsAfter(lines: readonly string[], at: number): string[] {
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => line === "" || /^(?:HINT:|P\d\d\b)/.test(line));
  return end < 0 ? rest.filter((line) => line !== "") : rest.slice(0, end);
}
