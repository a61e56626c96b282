import { localHost } from "../../model/base/host";
import { parseBackupId } from "../../model/base/names";
import type { DatabaseFacts, RestoreResult } from "../../model/restore/protocol";
import { formatBytes, plural } from "../../model/base/units";
import type { StackChange } from "../pulumi/history";
import type { ServerState, ServerStatus } from "../server/server-status";
import { applicationRows } from "./application";
import { backupRows } from "./backup-status";
import { archiveRows } from "./archive-status";
import { logRows } from "./log-status";
import { roleRows } from "./role-status";
import { ageText, timestampText } from "../base/time-text";
import { plainPaint, type Paint } from "../base/paint";
import { changesText } from "../pulumi/progress";
import { alignColumns } from "../base/table";

/** What `stagecraft status` prints. */
export function statusText(
  servers: readonly ServerStatus[],
  now: Date,
  paint: Paint = plainPaint,
): string {
  const width = Math.max(0, ...servers.map(({ stack }) => stack.length));
  return servers
    .map((server) => {
      const name = paint.strong(server.stack) + " ".repeat(width - server.stack.length);
      const [head = "", ...rest] = serverLines(server, now, paint);
      return [`${name}  ${head}`, ...rest.map((line) => `  ${line}`)].join("\n");
    })
    .join("\n");
}

function serverLines(server: ServerStatus, now: Date, paint: Paint): string[] {
  const { stack, state, host, addresses, observation } = server;
  if (state === "not there") {
    const head = paint.faint(`does not exist: npm start -- ${stack}`);
    return [head, ...alignColumns(leftRows(server))];
  }
  const where = host === localHost ? addresses : [[...addresses, host].join(" of ")];
  const head = [stateText(state, paint), ...where];
  if (observation) head.push(`PostgreSQL ${observation.postgresVersion}`);
  return [head.join(" · "), ...alignColumns(detailRows(server, now, paint))];
}

/** What is left of a server that does not exist. */
function leftRows({ stack, volumes = [] }: ServerStatus): string[][] {
  if (volumes.length === 0) return [];
  return [
    ["left", `volumes ${volumes.join(", ")}`],
    ["use", `npm start -- ${stack}`],
    ["delete", `npx stagecraft down ${stack} --data`],
  ];
}

/** Whether {@link statusText} reports a problem. */
export function hasProblem(servers: readonly ServerStatus[], now: Date): boolean {
  let found = false;
  const bad = (text: string): string => {
    found = true;
    return text;
  };
  statusText(servers, now, { ...plainPaint, bad });
  return found;
}

function detailRows(server: ServerStatus, now: Date, paint: Paint): string[][] {
  const { stack, state, faults, observation, lastChange } = server;
  const rows = faults.map((fault) => ["problem", paint.bad(fault)]);
  if (state === "incomplete" || state === "stopped") rows.push(["fix", `npm start -- ${stack}`]);
  for (const database of observation?.databases ?? []) {
    rows.push([database.name, databaseText(database, now)]);
  }
  if (observation?.databases.length === 0) rows.push(["data", paint.warn("no database yet")]);
  if (observation?.lastRestore?.result === "failed") {
    rows.push(...failedRestoreRows(stack, observation.lastRestore, now, paint));
  }
  rows.push(
    ...applicationRows(
      { container: server.application, observed: observation?.application },
      paint,
    ),
  );
  if (observation) rows.push(...backupRows(stack, observation.backups, now, paint));
  if (observation) rows.push(...archiveRows(observation.archive, paint));
  if (observation) rows.push(...roleRows(observation.roles, paint));
  if (lastChange) rows.push(["changed", changeText(stack, lastChange, now, paint)]);
  rows.push(...logRows(stack, server.logs ?? [], paint));
  if (typeof observation?.freeBytes === "number")
    rows.push(["disk", `${formatBytes(observation.freeBytes)} free`]);
  return rows;
}

const goodStates: ReadonlySet<ServerState> = new Set(["running"]);

function stateText(state: ServerState, paint: Paint): string {
  if (goodStates.has(state)) return paint.good("running, healthy");
  if (state === "starting") return paint.warn("running, still starting");
  return paint.bad(state === "out of reach" ? "unreachable" : state);
}

function databaseText(database: DatabaseFacts, now: Date): string {
  const { stamp, bytes, connections } = database;
  return [
    stamp ? contentsText(stamp.source, now) : "contents unknown (not restored by Stagecraft)",
    formatBytes(bytes),
    ...(stamp ? [stamp.outcome] : []),
    plural(connections, "connection"),
  ].join(" · ");
}

/** The source of contents: `production 20261115T032900Z, 7 d old`, or the file name if that is not a backup. */
export function contentsText(
  source: {
    readonly name: string;
    readonly backup?: string | undefined;
    readonly server?: string | undefined;
  },
  now: Date,
): string {
  const time = source.backup === undefined ? undefined : parseBackupId(source.backup);
  if (source.backup === undefined || !time) return source.name;
  const from = source.server === undefined ? "" : `${source.server} `;
  return `${from}${source.backup}, ${ageText(time, now)} old`;
}

function failedRestoreRows(
  stack: string,
  restore: RestoreResult,
  now: Date,
  paint: Paint,
): string[][] {
  const [firstLine = ""] = restore.text.split("\n");
  const age = ageText(new Date(restore.startedAt), now);
  return [
    ["restore", paint.bad(`failed ${age} ago: ${firstLine}`)],
    ["", `npx stagecraft log ${stack}`],
  ];
}

function changeText(stack: string, change: StackChange, now: Date, paint: Paint): string {
  const when = `${timestampText(change.at)}, ${ageText(change.at, now)} ago`;
  if (!change.succeeded)
    return paint.bad(`${when}: ${change.kind} failed`) + ` · npm start -- ${stack}`;
  return `${when}: ${changesText(change.changes)}`;
}

/** What `stagecraft status --json` prints. */
export function statusJson(
  servers: readonly ServerStatus[],
  problems: readonly { readonly stack: string; readonly problem: string }[] = [],
): string {
  return JSON.stringify(
    {
      ...(problems.length > 0 && { problems }),
      servers: servers.map(({ observation, lastChange, ...server }) => ({
        ...server,
        observation: observation ?? null,
        lastChange: lastChange ?? null,
      })),
    },
    null,
    2,
  );
}
