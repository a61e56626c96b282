import { checkRule, defaultVersion } from "../rule/check";
import { splitFields } from "../rule/fields";
import { expandField, readIncluded, type IncludeReader } from "./include";
import { splitLines, type LogicalLine } from "./lines";
import { error, warning, type PgHbaProblem, type RuleProblem } from "../rule/problem";
import { describeFields, readRule } from "./read-rule";
import { formatRule } from "./render";
import type { PgHbaRule } from "../rule/rule";
import { fileOf, type Token } from "../rule/token";
import { type LocatedRule, type PgHbaFile, type PgHbaLine } from "./pg-hba-file";

/** A parsed `pg_hba.conf`. */
export interface ParsedPgHba {
  readonly file: PgHbaFile;
  /** Files of its include lines, in reading order. */
  readonly included: readonly PgHbaFile[];
  /** The effective rules, including those of included files, with `@file` replaced by its names; without invalid lines. */
  readonly rules: readonly LocatedRule[];
  /** PostgreSQL rejects the whole file if there is one error. */
  readonly problems: readonly PgHbaProblem[];
}

export interface ParseOptions extends IncludeReader {
  /** Path of the file; includes are relative to it. @default "pg_hba.conf" */
  readonly name?: string;
  /** PostgreSQL's major version. @default 17 */
  readonly version?: number;
}

/**
 * Parses a `pg_hba.conf` as PostgreSQL does. PostgreSQL manual, 20.1.
 *
 * @example
 * const { rules, problems } = parsePgHba("local all all peer\nhost all all 10.20.0.0/24 scram-sha-256\n");
 */
export function parsePgHba(text: string, options: ParseOptions = {}): ParsedPgHba {
  const parser = new Parser(options);
  const file = parser.readFile(options.name ?? "pg_hba.conf", text, 0);
  const { included, rules, problems } = parser;
  if (rules.length === 0 && problems.length === 0) {
    const none = error("has no rule, so nobody could connect; add one");
    problems.push({ file: file.name, line: 1, rule: "", ...none });
  }
  return { file, included, rules, problems };
}

class Parser {
  readonly included: PgHbaFile[] = [];
  readonly rules: LocatedRule[] = [];
  readonly problems: PgHbaProblem[] = [];
  private readonly seen = new Map<string, LocatedRule>();

  constructor(private readonly options: ParseOptions) {}

  readFile(name: string, text: string, depth: number): PgHbaFile {
    const lines = splitLines(text).map((line) => this.readLine(name, line, depth));
    return { name, lines };
  }

  private readLine(file: string, line: LogicalLine, depth: number): PgHbaLine {
    const { fields, openQuote, loneComma } = splitFields(line.text);
    if (fields.length === 0) return line;
    const report = (...problems: readonly RuleProblem[]): void => {
      if (problems.length === 0) return;
      const at = { file, line: line.number, rule: describeFields(fields) };
      this.problems.push(...problems.map((problem) => ({ ...at, ...problem })));
    };
    if (openQuote) report(warning("has an unclosed quote; close it"));
    if (loneComma) report(warning("has a blank before a comma; remove the blank"));
    if (this.readInclude(file, fields, depth, report)) return line;
    const written = readRule(fields);
    const rule = this.expand(file, fields, written, depth, report);
    if (rule) this.addRule({ ...rule, file, line: line.number }, report);
    return "severity" in written ? line : { ...line, rule: written };
  }

  /** Reads the files of an `include` line; returns `false` for any other line. */
  private readInclude(
    file: string,
    fields: readonly (readonly Token[])[],
    depth: number,
    report: (problem: RuleProblem) => void,
  ): boolean {
    const [[kind] = [], [path] = []] = fields;
    if (fields.length !== 2 || !kind || !path || !kind.text.startsWith("include")) return false;
    const { version = defaultVersion } = this.options;
    const found = readIncluded(kind.text, path.text, file, depth, this.options);
    if (found === undefined) return false;
    if (version < 16) {
      report(error(`${kind.text} needs PostgreSQL 16, this is ${version}; write the rules here`));
    } else if ("severity" in found) report(found);
    else {
      for (const { name, text } of found.files) {
        this.included.push(this.readFile(name, text, depth + 1));
      }
    }
    return true;
  }

  /** The effective rule, with `@file` replaced by the names in the file. */
  private expand(
    file: string,
    fields: readonly (readonly Token[])[],
    written: PgHbaRule | RuleProblem,
    depth: number,
    report: (problem: RuleProblem) => void,
  ): PgHbaRule | undefined {
    let rule = written;
    if (fields.some((field) => field.some((token) => fileOf(token) !== undefined))) {
      const expanded: (readonly Token[])[] = [];
      for (const field of fields) {
        const names = expandField(field, file, depth, this.options);
        if ("severity" in names) {
          report(names);
          return undefined;
        }
        if (names.length > 0) expanded.push(names);
      }
      rule = readRule(expanded);
    }
    if (!("severity" in rule)) return rule;
    report(rule);
    return undefined;
  }

  private addRule(rule: LocatedRule, report: (...problems: readonly RuleProblem[]) => void): void {
    const problems = checkRule(rule, this.options.version);
    report(...problems);
    if (problems.some(({ severity }) => severity === "error")) return;
    const key = formatRule(rule);
    const first = this.seen.get(key);
    if (first) report(warning(`is the same as ${locationOf(first, rule)}; remove one of them`));
    else this.seen.set(key, rule);
    this.rules.push(rule);
  }
}

function locationOf(first: LocatedRule, { file }: LocatedRule): string {
  return first.file === file ? `line ${first.line}` : `${first.file}:${first.line}`;
}
