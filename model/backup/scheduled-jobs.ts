import type { Timing } from "./timing";
import type { BackupsRequest, JobKind } from "./protocol";

/** One job of the agent's schedule, whatever its kind. */
export interface ScheduledJob {
  readonly kind: JobKind;
  readonly name: string;
  readonly timing: Timing;
}

/** Everything that a schedule has the agent do, in the order in which jobs that are due at once are done. */
export function scheduledJobs({ jobs, verify, maintenance }: BackupsRequest): ScheduledJob[] {
  const of = (kind: JobKind, named: Readonly<Record<string, Timing>>): ScheduledJob[] =>
    Object.entries(named).map(([name, timing]) => ({ kind, name, timing }));
  return [
    ...of("backup", jobs),
    ...(verify ? of("verification", { verify }) : []),
    ...of("maintenance", maintenance),
  ];
}
