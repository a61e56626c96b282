import { readToken } from "../rule/fields";
import { hideOptionSecrets } from "../rule/options";
import type { PgHbaFile } from "./pg-hba-file";
import type { PgHbaRule } from "../rule/rule";
import { formatOption, formatToken } from "../rule/token";

/** Maximum column width; longer words shift only their own line. */
const maxColumnWidth = 40;

const headings = ["# TYPE", "DATABASE", "USER", "ADDRESS", "METHOD"];

/**
 * Renders rules as a `pg_hba.conf` with aligned columns; parsing it gives the same rules.
 * @param comment lines at the top of the file, without `#`
 * @throws Error for a word that cannot be written, such as one with a line break
 */
export function renderPgHba(rules: readonly PgHbaRule[], comment: readonly string[] = []): string {
  const rows = [headings, ...rules.map((rule) => wordsOf(rule, strict))];
  const widths = headings.map((_, column) =>
    rows
      .map((row) => row[column]?.length ?? 0)
      .filter((length) => length <= maxColumnWidth)
      .reduce((widest, length) => Math.max(widest, length), 0),
  );
  const lines = rows.map((row) =>
    row
      .map((word, column) => word.padEnd(widths[column] ?? 0))
      .join("  ")
      // Trim blanks only: other white space can be part of a word.
      .replace(/ +$/, ""),
  );
  return [...comment.map((line) => `# ${line}`.trimEnd()), ...lines, ""].join("\n");
}

/** Renders a parsed file, byte-identical. */
export function renderPgHbaFile({ lines }: Pick<PgHbaFile, "lines">): string {
  return lines.map(({ raw }) => raw).join("");
}

/** Formats a rule in one line, with single blanks and normalised quotes. */
export function formatRule(rule: PgHbaRule): string {
  return wordsOf(rule, (word) => JSON.stringify(word))
    .filter((word) => word !== "")
    .join(" ");
}

/** Formats a rule for messages: like {@link formatRule}, without secrets. */
export function describeRule(rule: PgHbaRule): string {
  return hideOptionSecrets(formatRule(rule));
}

/** The columns of a rule. @param otherwise formats what is not a single word of the file */
function wordsOf(rule: PgHbaRule, otherwise: (word: string) => string): string[] {
  const canonical = (word: string): string => {
    const token = readToken(word);
    return token ? formatToken(token) : otherwise(word);
  };
  const { address, mask, options = {} } = rule;
  const optionWords = Object.entries(options).map(([name, value]) => {
    const isWritable = /^\w+$/.test(name) && !/[\n\0]/.test(value);
    return isWritable ? formatOption(name, value) : otherwise(`${name}=${value}`);
  });
  return [
    rule.type,
    rule.databases.map(canonical).join(","),
    rule.users.map(canonical).join(","),
    [address, mask].flatMap((word) => (word === undefined ? [] : canonical(word))).join(" "),
    [rule.method, ...optionWords].join(" "),
  ];
}

function strict(word: string): never {
  throw new Error(`${JSON.stringify(word)} is not a single word of pg_hba.conf; put it in quotes`);
}
