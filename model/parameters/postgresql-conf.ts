/** Last lines of `postgresql.conf`, so that Stagecraft's files take precedence. `images/stagecraft-postgres` writes the same. */
const includes = [
  "stagecraft-defaults.conf",
  "stagecraft-tls.conf",
  "stagecraft.conf",
  "stagecraft-archive.conf",
].map((file) => `include_if_exists = '${file}'`);

/** Parameters set in `postgresql.conf` after Stagecraft's includes, which override them; `["postgresql.conf"]` when the includes are missing or not last. */
export function overridingParameters(text: string): string[] {
  const lines = text.trimEnd().split("\n");
  if (includes.every((line, at) => lines.at(at - includes.length) === line)) return [];
  const first = lines.indexOf(includes[0] ?? "");
  const following = (first < 0 ? [] : lines.slice(first)).flatMap(
    (line) => /^\s*([A-Za-z_][\w.]*)/.exec(line)?.[1]?.toLowerCase() ?? [],
  );
  const names = following.filter((name) => !name.startsWith("include"));
  // The includes are missing or incomplete: the whole file overrides them.
  return names.length > 0 ? [...new Set(names)].sort() : ["postgresql.conf"];
}

/** `postgresql.conf` with Stagecraft's includes moved to the end, otherwise unchanged. */
export function moveIncludesLast(text: string): string {
  const others = text
    .replace(/\n?$/, "\n")
    .split(/(?<=\n)/)
    .filter((line) => !/^include_if_exists = 'stagecraft/.test(line));
  return `${others.join("")}${includes.join("\n")}\n`;
}
