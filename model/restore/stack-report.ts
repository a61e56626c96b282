import type { ApplicationReport } from "../application/report";
import type { RestoreResult } from "./protocol";
import { type RestoreSummary } from "./summary";

/** The report of a restore as a stack output: what it brought, how long each step took, and what was done to it. */
export interface StackReport extends Partial<RestoreSummary> {
  readonly result: RestoreResult["result"];
  readonly backup: string | undefined;
  readonly source: string;
  readonly startedAt: string;
  /** In all. */
  readonly seconds: number;
  /** Seconds of each step. */
  readonly steps: Readonly<Record<string, number>>;
  /** For how many seconds the database answered nobody. */
  readonly awaySeconds: number;
  readonly text: string;
  /** What became of the application when it was looked at last, where the server has one. */
  readonly application?: ApplicationReport;
}

/** The report for a stack output, from what the agent answered. */
export function stackReport(answer: RestoreResult): StackReport {
  const { result, source, startedAt, steps, awaySeconds, text, summary } = answer;
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  return {
    ...{ result, backup: source.backup, source: source.name, startedAt },
    seconds: Math.round(seconds * 1000) / 1000,
    steps: Object.fromEntries(steps.map((step) => [step.name, step.seconds])),
    ...{ awaySeconds, text },
    ...summary,
  };
}
