import { z } from "zod";
import { formatDuration, plural } from "../base/units";
import { logComparisonSchema } from "./log";

/** What became of the application when the contents of its database were exchanged, or when it was made. */
export const applicationReportSchema = z.strictObject({
  revision: z.string(),
  /** Whether it was restarted, because its database had been given other contents. */
  restarted: z.boolean(),
  healthy: z.boolean(),
  /** How long it took to become well, or was waited for. */
  seconds: z.number().nonnegative(),
  /** Errors in its log since the restart, held against those before it. */
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

/** A line for each kind of error that was not there before: `12 × relation "…" does not exist`. */
export function freshErrorLines({ errors }: ApplicationReport): string[] {
  if (!errors) return [];
  const width = Math.max(0, ...errors.fresh.map(({ count }) => String(count).length));
  const lines = errors.fresh.map(
    ({ count, signature }) => `${String(count).padStart(width)} × ${signature}`,
  );
  return errors.more > 0 ? [...lines, `and ${plural(errors.more, "kind")} more`] : lines;
}

/** What is known of an application that does not become healthy. */
export interface Unhealthy {
  readonly server: string;
  /** Name of its container. */
  readonly container: string;
  /** What speaks against it: `http://…/health returns 503`. */
  readonly reason: string;
  readonly seconds: number;
  /** Contents that its database was given before, e.g. `20261121T032900Z`; `undefined` when they are what they were. */
  readonly exchanged: string | undefined;
  /** Whether the contents before are kept under a name that a rollback finds. */
  readonly canRollBack: boolean;
  /** The last lines of its log. */
  readonly log: readonly string[];
}

/** The one message about an application that does not become healthy, with what has been done and how to go back. */
export function unhealthyText(found: Unhealthy): string {
  const { server, container, reason, seconds, exchanged, canRollBack, log } = found;
  const after = `${reason} after ${formatDuration(seconds)}`;
  const head =
    exchanged === undefined
      ? `the application of ${server} does not become healthy: ${after}`
      : `${server} has the contents of ${exchanged} now, but its application does not become healthy with them: ${after}`;
  const [first = "it is empty", ...rest] = log;
  return [
    head,
    `  its log   ${first}`,
    ...rest.map((line) => `            ${line}`),
    `  more      docker logs ${container}`,
    ...(canRollBack ? [`  go back   npx stagecraft rollback ${server}`] : []),
    `  go on     put it right and run this again; what has been done is kept`,
  ].join("\n");
}
