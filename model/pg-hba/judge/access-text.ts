import {
  accessChanges,
  accessMatrix,
  rejected,
  type AccessChange,
  type AccessSource,
  type AccessScope,
  type AccessSubject,
} from "./access-matrix";
import { lockedOutNames } from "./lock-out";
import type { PgHbaRule } from "../rule/rule";

/**
 * Formats the access matrix for the preview: who can connect from where, who gains or loses access, and who is locked out.
 * @param before the active rules; `undefined` on a new server
 */
export function accessText(
  server: string,
  before: readonly PgHbaRule[] | undefined,
  after: readonly PgHbaRule[],
  scope: AccessScope,
): string {
  const { columns, rows } = accessMatrix(after, scope);
  const changes = before ? accessChanges(before, after, scope) : [];
  const table = [
    ["", ...columns.map(originText)],
    ...rows.map(({ subject, cells }) => [
      subjectText(subject),
      ...cells.map((cell, at) => {
        const origin = columns[at];
        const change = changes.find(
          (found) => found.subject === subject && found.origin === origin,
        );
        return change ? changeText(change) : cell;
      }),
    ]),
  ];
  const widths = columns.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  const lines = table.map((row) =>
    `  ${row.map((cell, at) => cell.padEnd((widths[at] ?? 0) + 3)).join("")}`.trimEnd(),
  );
  const lockedOut = lockedOutNames(after, scope.required ?? [], scope.server);
  const rights = rows.flatMap(({ subject: { name, title = name, rights } }) =>
    rights === undefined ? [] : [`  ${title} ${rights}`],
  );
  return [`pg_hba of ${server}`, ...lines, ...rights, footer(changes, lockedOut)].join("\n");
}

const marks: Readonly<Record<AccessChange["change"], string>> = {
  gains: "▲",
  loses: "▼",
  "other method": "◆",
};

function changeText({ change, before, after }: AccessChange): string {
  const [old, now] = [before, after].map((text) => (text === rejected ? "–" : text));
  return `${old ?? ""} → ${now ?? ""}  ${marks[change]}`;
}

function footer(changes: readonly AccessChange[], lockedOut: readonly string[]): string {
  const verbs = [
    ["gains", "gains access"],
    ["loses", "loses access"],
    ["other method", "needs another method"],
  ] as const;
  const parts = verbs.flatMap(([change, verb]) => {
    const who = changes.filter((found) => found.change === change).map(whoText);
    return who.length === 0 ? [] : [`${marks[change]} ${verb}: ${who.join(", ")}`];
  });
  parts.push(
    lockedOut.length === 0
      ? "no required connection is locked out"
      : `locked out: ${lockedOut.join(", ")}`,
  );
  return `  ${parts.join(parts.length > 2 ? "\n  " : "        ")}`;
}

function whoText({ subject, origin }: AccessChange): string {
  return `${subject.name} from ${origin.address ?? origin.name}`;
}

function originText({ name, address }: AccessSource): string {
  return address === undefined || address === name ? name : `${name} ${address}`;
}

function subjectText({ name, database, replication, title = name }: AccessSubject): string {
  return replication === true ? name : `${database} (${title})`;
}
