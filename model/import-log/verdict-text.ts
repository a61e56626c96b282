import { formatCount, plural } from "../base/units";
import type { ImportEvent } from "./event";
import { generalFix } from "./fixes";
import type { Cause, RoleReport, TableRows, Verdict } from "./verdict-schema";

/** Maximum number of roles in the text; the report has all of them. */
const maxRoles = 5;

/** Formats a verdict in one line: `passed with notes: 412 messages in the prelude, all harmless`. */
export function verdictLine(verdict: Verdict): string {
  const { outcome, messages, causes, notes } = verdict;
  if (outcome === "failed") {
    const [first] = causes;
    return `failed: ${first ? short(first.event.message) : "unknown"}`;
  }
  if (outcome === "passed") return "passed";
  const parts: string[] = [];
  const outside = messages.harmless - Math.min(messages.harmless, messages.prelude);
  if (messages.prelude > 0)
    parts.push(`${plural(messages.prelude, "message")} in the prelude, all harmless`);
  if (outside > 0) parts.push(`${plural(outside, "harmless message")} elsewhere`);
  // A note about the dump as a whole has no messages to count.
  for (const { text, count, examples } of notes)
    parts.push(count === 1 && examples.length === 0 ? text : `${text} (${formatCount(count)})`);
  const roles = verdict.roles.filter(({ choice }) => choice !== "known");
  for (const role of roles.slice(0, maxRoles)) parts.push(roleLine(role));
  if (roles.length > maxRoles) parts.push(plural(roles.length - maxRoles, "more role"));
  return `passed with notes: ${parts.join("; ")}`;
}

/** Formats a failed verdict in a few lines: cause, rows, fix. */
export function failureLines(verdict: Verdict): readonly string[] {
  const lines: string[] = [];
  for (const cause of verdict.causes.slice(0, 3)) lines.push(...causeLines(cause));
  const more = verdict.causes.length + verdict.furtherCauses - 3;
  if (more > 0) lines.push(`            and ${plural(more, "further cause")}`);
  const rows = rowsLine(verdict.rows);
  if (rows !== undefined) lines.push(`  rows      ${rows}`);
  const fixes = new Set(verdict.causes.flatMap(({ fix }) => fix ?? []));
  const [first] = verdict.causes;
  if (first && fixes.size === 0) fixes.add(generalFix(first.event));
  for (const fix of [...fixes].slice(0, 3)) lines.push(`  fix       ${fix}`);
  return lines;
}

/** Lists the incomplete tables and the number of complete ones; `undefined` when all are complete. */
export function rowsLine(rows: readonly TableRows[]): string | undefined {
  const wrong = rows.filter(
    ({ expected, found }) => found === null || (expected !== null && found < expected),
  );
  if (wrong.length === 0) return undefined;
  const shown = wrong
    .slice(0, 5)
    .map(({ table, expected, found }) =>
      found === null
        ? `${table} is missing`
        : `${table} ${formatCount(found)} of ${formatCount(expected ?? 0)}`,
    );
  if (wrong.length > shown.length) shown.push(plural(wrong.length - shown.length, "more table"));
  const complete = rows.length - wrong.length;
  const rest =
    complete === 0
      ? ""
      : `; the other ${plural(complete, "table")} ${complete === 1 ? "is" : "are"} complete`;
  return `${shown.join(", ")}${rest}`;
}

/** Formats a message in one line: severity, SQLSTATE, text, position. */
export function eventLine(event: ImportEvent): string {
  const at = event.line === undefined ? "" : `  line ${formatCount(event.line)}`;
  const message = event.message.replace(/\s+/g, " ");
  return `${event.severity}  ${event.sqlstate ?? "-----"}  ${message}${at}${positionOf(event)}`;
}

function causeLines({ event, consequences }: Cause): readonly string[] {
  const at = event.line === undefined ? "" : ` (line ${formatCount(event.line)} of the dump)`;
  const lines = [
    `  cause     ${event.sqlstate ?? event.severity}  ${short(event.message)}${positionOf(event)}${at}`,
  ];
  if (event.detail !== undefined) lines.push(`            ${short(event.detail)}`);
  if (consequences > 0)
    lines.push(
      `            and ${plural(consequences, "message")} that follow${consequences === 1 ? "s" : ""} from it`,
    );
  return lines;
}

/** Maximum length of a message in the text, in characters; the full log has the whole message. */
const maxLength = 120;

/** Shortens a message to one line of at most {@link maxLength} characters. */
function short(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
}

function positionOf({ context, object }: ImportEvent): string {
  const copy =
    context === undefined
      ? undefined
      : /^COPY (.+?), line (\d+)(?:, column ([^:]+))?/.exec(context);
  if (copy) {
    const column = copy[3] === undefined ? "" : `, column ${copy[3]}`;
    return `   COPY ${object?.replace(/^TABLE /, "") ?? copy[1] ?? ""}, line ${formatCount(Number(copy[2]))}${column}`;
  }
  return object === undefined ? "" : `   ${object}`;
}

function roleLine({ role, choice, objects, grants }: RoleReport): string {
  const effects: string[] = [];
  if (objects > 0) effects.push(`${plural(objects, "object")} restored without owner`);
  if (grants > 0) effects.push(`${plural(grants, "grant")} left out`);
  if (choice === "created without login") effects.push("created without login");
  if (effects.length === 0) effects.push("statements about it left out");
  return `role ${role}: ${effects.join(", ")}`;
}
