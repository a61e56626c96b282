import type { Timing } from "./timing";
import type { BackupsRequest, JobKind } from "./protocol";

/** A job of the agent's schedule, of any kind. */
export interface ScheduledJob {
  readonly kind: JobKind;
  readonly name: string;
  readonly timing: Timing;
}

/** All jobs of a schedule, in the order in which jobs due at the same time are run. */
export function scheduledJobs({ jobs, verify, maintenance }: BackupsRequest): ScheduledJob[] {
  const of = (kind: JobKind, named: Readonly<Record<string, Timing>>): ScheduledJob[] =>
    Object.entries(named).map(([name, timing]) => ({ kind, name, timing }));
  return [
    ...of("backup", jobs),
    ...(verify ? of("verification", { verify }) : []),
    ...of("maintenance", maintenance),
  ];
}
