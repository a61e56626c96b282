import type { Operation, UpdateState } from "./engine-events";

/** A progress line of the agent, e.g. `restore 78 % · 1.5 of 1.9 GB · 9.1 M rows · 12 s left`. */
export interface AgentProgress {
  readonly what: string;
  readonly percent: number;
  readonly details: readonly string[];
}

/** Parses a progress line of the agent; `undefined` for any other line. */
export function parseAgentProgress(line: string): AgentProgress | undefined {
  const match = /^(\S[^·%]*?) (\d{1,3}) %(?: · (.+))?$/.exec(line.trim());
  if (!match) return undefined;
  const [, what = "", percent = "", details] = match;
  return { what, percent: Math.min(100, Number(percent)), details: details?.split(" · ") ?? [] };
}

/** `restore   ████████░░  78 %   1.5 of 1.9 GB   12 s left` */
export function progressBar(progress: AgentProgress, cells = 20): string {
  const full = Math.floor((progress.percent / 100) * cells);
  const bar = "█".repeat(full) + "░".repeat(cells - full);
  const percent = `${String(progress.percent).padStart(3)} %`;
  return [progress.what, bar + percent.padStart(6), ...progress.details].join("   ");
}

/** A line that the agent printed while it works; a percentage becomes a bar if `withBar` is set. */
export function agentLine(line: string, withBar: boolean): string {
  const progress = withBar ? parseAgentProgress(line) : undefined;
  return progress ? progressBar(progress) : line;
}

/** What an update is doing, in one line; the agent's percentage becomes a bar if `withBar` is set. */
export function updateLine(state: UpdateState, withBar: boolean): string {
  if (state.progress !== undefined) {
    return agentLine(state.progress, withBar);
  }
  const [operation] = state.running.values();
  if (operation) return operationText(operation);
  return state.changed > 0 ? `${state.changed} changed` : "reading the current state";
}

function operationText({ op, name, kind }: Operation): string {
  return `${gerunds[op] ?? op} ${kind} ${name}`;
}

const gerunds: Readonly<Record<string, string>> = {
  create: "creating",
  update: "updating",
  delete: "deleting",
  replace: "replacing",
  "create-replacement": "replacing",
  "delete-replaced": "deleting the replaced",
};

const participles: readonly (readonly [text: string, ...ops: readonly string[]])[] = [
  ["created", "create"],
  ["updated", "update"],
  ["replaced", "replace", "create-replacement"],
  ["deleted", "delete"],
  ["imported", "import"],
];

/** What an update changed: `9 created`, `1 updated, 1 replaced`, `nothing to do`. */
export function changesText(changes: Readonly<Record<string, number>>): string {
  const parts = participles.flatMap(([text, ...ops]) => {
    const count = Math.max(...ops.map((op) => changes[op] ?? 0));
    return count > 0 ? [`${count} ${text}`] : [];
  });
  return parts.length > 0 ? parts.join(", ") : "nothing to do";
}
