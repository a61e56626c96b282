import { readToken } from "../rule/fields";
import { hideSecrets } from "../rule/options";
import type { PgHbaFile } from "./pg-hba-file";
import type { PgHbaRule } from "../rule/rule";
import { formatOption, formatToken } from "../rule/token";

/** Longest word that still widens its column; longer ones push the rest of their own line only. */
const widestColumn = 40;

const headings = ["# TYPE", "DATABASE", "USER", "ADDRESS", "METHOD"];

/**
 * Writes rules as a `pg_hba.conf` with aligned columns; reading it gives the same rules.
 * @param comment lines for the head of the file, without `#`
 * @throws Error for a word that a file cannot hold, such as one with a line break
 */
export function renderPgHba(rules: readonly PgHbaRule[], comment: readonly string[] = []): string {
  const rows = [headings, ...rules.map((rule) => wordsOf(rule, strict))];
  const widths = headings.map((_, column) =>
    rows
      .map((row) => row[column]?.length ?? 0)
      .filter((length) => length <= widestColumn)
      .reduce((widest, length) => Math.max(widest, length), 0),
  );
  const lines = rows.map((row) =>
    row
      .map((word, column) => word.padEnd(widths[column] ?? 0))
      .join("  ")
      // Other white space may be the end of a word.
      .replace(/ +$/, ""),
  );
  return [...comment.map((line) => `# ${line}`.trimEnd()), ...lines, ""].join("\n");
}

/** Writes a file that was read, byte by byte as it was. */
export function renderPgHbaFile({ lines }: Pick<PgHbaFile, "lines">): string {
  return lines.map(({ raw }) => raw).join("");
}

/** One rule in one line, with single blanks. The same for rules that say the same in other quotes. */
export function formatRule(rule: PgHbaRule): string {
  return wordsOf(rule, (word) => JSON.stringify(word))
    .filter((word) => word !== "")
    .join(" ");
}

/** One rule in one line for people: as `formatRule`, without secrets. */
export function describeRule(rule: PgHbaRule): string {
  return hideSecrets(formatRule(rule));
}

/** The columns of a rule; `otherwise` writes what is not one word of the file. */
function wordsOf(rule: PgHbaRule, otherwise: (word: string) => string): string[] {
  const canonical = (word: string): string => {
    const token = readToken(word);
    return token ? formatToken(token) : otherwise(word);
  };
  const { address, mask, options = {} } = rule;
  const settings = Object.entries(options).map(([name, value]) => {
    const isWritable = /^\w+$/.test(name) && !/[\n\0]/.test(value);
    return isWritable ? formatOption(name, value) : otherwise(`${name}=${value}`);
  });
  return [
    rule.type,
    rule.databases.map(canonical).join(","),
    rule.users.map(canonical).join(","),
    [address, mask].flatMap((word) => (word === undefined ? [] : canonical(word))).join(" "),
    [rule.method, ...settings].join(" "),
  ];
}

function strict(word: string): never {
  throw new Error(`${JSON.stringify(word)} is not one word of pg_hba.conf; put it in quotes`);
}
