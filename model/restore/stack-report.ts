import type { ApplicationReport } from "../application/report";
import type { RestoreResult } from "./protocol";
import { type RestoreSummary } from "./summary";

/** Report of a restore as a stack output: result, duration of each step, and summary of the preparation. */
export interface StackReport extends Partial<RestoreSummary> {
  readonly result: RestoreResult["result"];
  readonly backup: string | undefined;
  readonly source: string;
  readonly startedAt: string;
  /** Total seconds. */
  readonly seconds: number;
  /** Seconds of each step. */
  readonly steps: Readonly<Record<string, number>>;
  /** Downtime of the database in seconds. */
  readonly awaySeconds: number;
  readonly text: string;
  /** Last observed state of the server's application, if it has one. */
  readonly application?: ApplicationReport;
}

/** Converts the agent's report to a stack output. */
export function stackReport(answer: RestoreResult): StackReport {
  const { result, source, startedAt, steps, awaySeconds, text, summary } = answer;
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  return {
    result,
    backup: source.backup,
    source: source.name,
    startedAt,
    seconds: Math.round(seconds * 1000) / 1000,
    steps: Object.fromEntries(steps.map((step) => [step.name, step.seconds])),
    awaySeconds,
    text,
    ...summary,
  };
}
