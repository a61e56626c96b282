/** What stands at the end of PostgreSQL's own file, so that it is read last. `images/stagecraft-postgres` writes the same. */
const includes = [
  "stagecraft-defaults.conf",
  "stagecraft-tls.conf",
  "stagecraft.conf",
  "stagecraft-archive.conf",
].map((file) => `include_if_exists = '${file}'`);

/** What somebody wrote behind Stagecraft's files in `postgresql.conf`, where it outranks them: names of settings, each once. */
export function settingsBehind(text: string): string[] {
  const lines = text.trimEnd().split("\n");
  if (includes.every((line, at) => lines.at(at - includes.length) === line)) return [];
  const first = lines.indexOf(includes[0] ?? "");
  const behind = (first < 0 ? [] : lines.slice(first)).flatMap(
    (line) => /^\s*([A-Za-z_][\w.]*)/.exec(line)?.[1]?.toLowerCase() ?? [],
  );
  const names = behind.filter((name) => !name.startsWith("include"));
  // Without our lines at their end, the file as a whole outranks them.
  return names.length > 0 ? [...new Set(names)].sort() : ["postgresql.conf"];
}

/** The file with Stagecraft's lines at its end, and with all else as it is. */
export function withIncludesLast(text: string): string {
  const others = text
    .replace(/\n?$/, "\n")
    .split(/(?<=\n)/)
    .filter((line) => !/^include_if_exists = 'stagecraft/.test(line));
  return `${others.join("")}${includes.join("\n")}\n`;
}
