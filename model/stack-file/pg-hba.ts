import { z } from "zod";
import type { ServerKind } from "../base/names";
import type { ConfigProblem } from "../base/config-problem";
import { formatNetwork, parseCidr, trimNetwork } from "../pg-hba/rule/address";
import { findingsOf, formatFinding } from "../pg-hba/judge/findings";
import { mapNames, readMap } from "../pg-hba/text/maps";
import { parsePgHba } from "../pg-hba/text/parse";
import { agentRules, noNetwork, presets } from "../pg-hba/rule/presets";
import { describeRule, formatRule } from "../pg-hba/text/render";
import type { PgHbaRule } from "../pg-hba/rule/rule";

/** Access rules: the stack file's section `pgHba`. */
export const pgHbaConfigSchema = z
  .strictObject({
    application: z
      .string()
      .optional()
      .meta({
        description: "Network that the application connects from; `samenet` is the server's own.",
        examples: ["10.20.0.0/24"],
      }),
    readonly: z
      .string()
      .optional()
      .meta({
        description:
          "Network that the read-only role connects from, or `none`; by default the application's.",
        examples: ["10.30.0.0/24"],
      }),
    monitoring: z.string().optional().meta({
      description:
        "Network that the monitor connects from, or `none`; by default the application's.",
    }),
    firstRules: z.array(z.string()).optional().meta({
      description:
        "Lines of `pg_hba.conf` before those of the preset, to narrow it: the first rule that matches counts.",
    }),
    rules: z.array(z.string()).optional().meta({
      description: "Additional lines of `pg_hba.conf`, after those of the preset.",
    }),
    maps: z
      .array(z.string())
      .optional()
      .meta({
        description:
          "Lines of `pg_ident.conf` for rules with `map=`: map, system user and role in each.",
        examples: [["people ada.lovelace ada"]],
      }),
  })
  .superRefine((section, context) => {
    // The messages are complete; with an object as their input, the value is not appended.
    const fail = ({ path, text }: ConfigProblem): void => {
      context.addIssue({ code: "custom", message: text, path: [path], input: section });
    };
    for (const key of ["application", "readonly", "monitoring"] as const) {
      const network = section[key];
      if (key !== "application" && network === noNetwork) continue;
      const problem = networkProblem(network);
      if (problem !== undefined) fail({ path: key, text: problem });
    }
    const lines = section.rules ?? [];
    const first = section.firstRules ?? [];
    const maps = section.maps ?? [];
    for (const found of [
      ...first.flatMap((line, index) => lineProblems(line, `firstRules[${index}]`)),
      ...lines.flatMap((line, index) => lineProblems(line, `rules[${index}]`)),
      ...repetitions(lines),
      ...maps.flatMap(mapProblems),
    ])
      fail(found);
  });
export type PgHbaConfig = z.output<typeof pgHbaConfigSchema>;

/** All rules of a server: the agent's, the first ones of the stack file, those of the preset, and the other ones of the stack file. */
export function rulesOfServer(
  kind: ServerKind,
  database: string,
  { application, readonly, monitoring, firstRules = [], rules = [] }: PgHbaConfig,
): readonly PgHbaRule[] {
  const narrowed = { database, readonly, monitoring };
  const preset = presets[kind]({ ...narrowed, ...(application !== undefined && { application }) });
  return [
    ...preset.slice(0, agentRules),
    ...firstRules.flatMap((line) => ruleOf(line) ?? []),
    ...preset.slice(agentRules),
    ...rules.flatMap((line) => ruleOf(line) ?? []),
  ];
}

/**
 * Errors in the stack file's rules for this kind of server, by key; warnings are shown by the preview.
 *
 * @param clientCa Whether the section `tls` names a CA of clients
 */
export function pgHbaConfigProblems(
  kind: ServerKind,
  database: string,
  settings: PgHbaConfig,
  clientCa: boolean,
): readonly ConfigProblem[] {
  const provided = { clientCa, maps: mapNames(settings.maps ?? []) };
  const rules = rulesOfServer(kind, database, settings);
  const own = rules.length - (settings.rules ?? []).length;
  const first = (settings.firstRules ?? []).length;
  return findingsOf(rules, { kind, provided }).flatMap((finding) => {
    const { severity, index = 0 } = finding;
    if (severity !== "error") return [];
    const isFirst = index >= agentRules && index < agentRules + first;
    if (isFirst)
      return [{ path: `pgHba.firstRules[${index - agentRules}]`, text: formatFinding(finding) }];
    if (index < own) return [];
    return [{ path: `pgHba.rules[${index - own}]`, text: formatFinding(finding) }];
  });
}

function networkProblem(network: string | undefined): string | undefined {
  if (network === undefined || network === "samenet") return undefined;
  const parsed = parseCidr(network);
  if (!parsed) {
    return `must be a network like 10.20.0.0/24, or samenet for the server's own, got "${network}"`;
  }
  const trimmed = formatNetwork(trimNetwork(parsed));
  return formatNetwork(parsed) === trimmed
    ? undefined
    : `${network} has host bits, which PostgreSQL ignores; write ${trimmed}`;
}

function lineProblems(line: string, path: string): readonly ConfigProblem[] {
  if (line.includes("\n")) return [{ path, text: "has several lines; write one rule per entry" }];
  const { problems, rules } = parsePgHba(line);
  if (problems.length === 0 && rules.length === 1) return [];
  return problems.map(({ rule, text: problem }) => ({
    path,
    text: rule === "" ? "is empty; write a rule or remove the entry" : `${rule}: ${problem}`,
  }));
}

function mapProblems(line: string, index: number): readonly ConfigProblem[] {
  const read = readMap(line);
  return "severity" in read ? [{ path: `maps[${index}]`, text: read.text }] : [];
}

function repetitions(lines: readonly string[]): readonly ConfigProblem[] {
  const first = new Map<string, number>();
  return lines.flatMap((line, index) => {
    const rule = ruleOf(line);
    if (!rule) return [];
    const key = formatRule(rule);
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, index);
      return [];
    }
    return [
      {
        path: `rules[${index}]`,
        text: `${describeRule(rule)}: is the same as rules[${earlier}]; remove one of them`,
      },
    ];
  });
}

function ruleOf(line: string): PgHbaRule | undefined {
  return parsePgHba(line).rules[0];
}
