import { z } from "zod";
import { formatDuration, plural } from "../base/units";
import { logComparisonSchema } from "./log";

/** State of the application after its database was swapped, or after it was created. */
export const applicationReportSchema = z.strictObject({
  revision: z.string(),
  /** Whether it was restarted because its database was swapped. */
  restarted: z.boolean(),
  healthy: z.boolean(),
  /** Seconds until it was healthy, or until the timeout. */
  seconds: z.number().nonnegative(),
  /** Errors in its log since the restart, compared with those before it. */
  errors: logComparisonSchema.optional(),
});
export type ApplicationReport = z.infer<typeof applicationReportSchema>;

/** One line: `restarted, healthy after 1.2 s · no new errors in its log`. */
export function applicationText({
  restarted,
  healthy,
  seconds,
  errors,
}: ApplicationReport): string {
  const health = healthy ? "healthy after" : "not healthy after";
  const head = `${restarted ? "restarted, " : ""}${health} ${formatDuration(seconds)}`;
  if (!errors) return head;
  const kinds = errors.fresh.length + errors.more;
  return `${head} · ${kinds === 0 ? "no new errors" : plural(kinds, "new error")} in its log`;
}

/** A line for each new kind of error: `12 × relation "…" does not exist`. */
export function freshErrorLines({ errors }: ApplicationReport): string[] {
  if (!errors) return [];
  const width = Math.max(0, ...errors.fresh.map(({ count }) => String(count).length));
  const lines = errors.fresh.map(
    ({ count, signature }) => `${String(count).padStart(width)} × ${signature}`,
  );
  return errors.more > 0 ? [...lines, `and ${plural(errors.more, "kind")} more`] : lines;
}

/** Facts about an application that does not become healthy. */
export interface Unhealthy {
  readonly server: string;
  /** Name of its container. */
  readonly container: string;
  /** Result of the last health check: `http://…/health returns 503`. */
  readonly reason: string;
  readonly seconds: number;
  /** Contents that were swapped in before, e.g. `20261121T032900Z`; `undefined` if the database is unchanged. */
  readonly exchanged: string | undefined;
  /** Whether a previous version exists for a rollback. */
  readonly canRollBack: boolean;
  /** The last lines of its log. */
  readonly log: readonly string[];
}

/** The error for an application that does not become healthy, with the state of its database and the fixes. */
export function unhealthyText(found: Unhealthy): string {
  const { server, container, reason, seconds, exchanged, canRollBack, log } = found;
  const after = `${reason} after ${formatDuration(seconds)}`;
  const head =
    exchanged === undefined
      ? `the application of ${server} does not become healthy: ${after}`
      : `${server} has the contents of ${exchanged}, but its application does not become healthy: ${after}`;
  const [first = "it is empty", ...rest] = log;
  return [
    head,
    `  log       ${first}`,
    ...rest.map((line) => `            ${line}`),
    `  full log  docker logs ${container}`,
    ...(canRollBack ? [`  undo      npx stagecraft rollback ${server}`] : []),
    `  retry     fix the application and run this again; completed steps are not repeated`,
  ].join("\n");
}
