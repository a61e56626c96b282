/** Fixes by pgBackRest's error code, or by what the text says. */
const fixes: readonly (readonly [RegExp, string])[] = [
  [
    /No space left on device/i,
    "free some space on the disk of the archive volume, or keep fewer full backups",
  ],
  [
    /Read-only file system|Permission denied/i,
    "make the archive volume writable again for PostgreSQL's user",
  ],
  [
    /^\[045\]/,
    "this cluster was put back to an earlier state and writes its log a second time; switch backups.pointInTime off and on again after moving the archive away",
  ],
  [/^\[050\]/, "another backup is running; wait until it is done"],
  [
    /^\[(?:028|051)\]/,
    "the archive belongs to another cluster; run pulumi up again, which gives this one a part of its own",
  ],
  [/^\[(?:055|103)\]/, "the archive was emptied or made anew; run pulumi up again"],
  [/^\[082\]/, "PostgreSQL could not archive; npx stagecraft status tells why"],
];

/** What pgBackRest said when it failed, in one line, with the fix where it is known. */
export function backrestProblem(stderr: string, status: number): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => /\bERROR: \[\d+\]/.test(line));
  const said =
    at < 0
      ? lines.filter((line) => line !== "")
      : [errorOf(lines[at] ?? ""), ...detailsBehind(lines, at)];
  const text = said.join("; ").replaceAll(":; ", ": ").trim();
  if (text === "") return `pgbackrest ended with status ${status} and said nothing`;
  const fix = fixes.find(([pattern]) => pattern.test(text))?.[1];
  return `pgbackrest: ${text.replace(/^\[\d+\]: /, "")}${fix === undefined ? "" : `; ${fix}`}`;
}

function errorOf(line: string): string {
  return line.replace(/^.*?\bERROR: /, "");
}

/** What follows an error belongs to it, up to its hints. */
function detailsBehind(lines: readonly string[], at: number): string[] {
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => line === "" || /^(?:HINT:|P\d\d\b)/.test(line));
  return end < 0 ? rest.filter((line) => line !== "") : rest.slice(0, end);
}
