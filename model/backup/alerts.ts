import { z } from "zod";
import { encryptedPlaceholder } from "../base/encrypted-value";

/** A URL of one of the schemes. It may be a secret, so it is never shown. */
function urlSchema(schemes: readonly string[], example: string) {
  const message = `must be a URL like ${example}`;
  return z.string().superRefine((text, context) => {
    if (text === encryptedPlaceholder) return;
    const url = parseUrl(text);
    if (url && schemes.includes(url.protocol.slice(0, -1)) && url.hostname !== "") return;
    // With an object as its input, the value is not appended to the message.
    context.addIssue({ code: "custom", message, input: {} });
  });
}

const webSchema = urlSchema(["https", "http"], "https://alerts.example.com/hook");

const addressSchema = z
  .string()
  .regex(/^[^\s@<>,;"]+@[^\s@<>,;"]+$/, "must be an address like ops@example.com");

const emailSchema = z.strictObject({
  to: z.array(addressSchema).min(1, "must name an address"),
  from: addressSchema,
  smtp: urlSchema(["smtp", "smtps"], "smtps://user:password@mail.example.com"),
});

/** Notifications about failed and overdue backups: the stack file's section `backups.alerts`. */
export const alertsConfigSchema = z.strictObject({
  webhook: webSchema
    .optional()
    .meta({ description: "URL that receives each alert as JSON by POST." }),
  email: emailSchema.optional().meta({ description: "Sends each alert by email." }),
  ping: webSchema.optional().meta({
    description:
      "URL requested after each backup: as given if the backup succeeded, with `/fail` appended if it failed.",
  }),
});
export type AlertsConfig = z.output<typeof alertsConfigSchema>;

/** Notification channels. */
export const channels = ["webhook", "email", "ping"] as const;
export type Channel = (typeof channels)[number];

/** Events that cause a notification. Only the ping reports `succeeded`. */
export const alertEvents = ["failed", "overdue", "good again", "succeeded"] as const;

/** A notification; the webhook receives it unchanged. */
export interface Alert {
  readonly event: (typeof alertEvents)[number];
  readonly server: string;
  /** Name of the scheduled job; `null` for one started manually, or if the alert concerns all jobs. */
  readonly job: string | null;
  /** One line. */
  readonly subject: string;
  /** Cause and fix, or what has recovered. */
  readonly text: string;
  /** The last lines of the log. */
  readonly log: readonly string[];
  readonly at: string;
}

/** The part of a job's result that a notification contains. */
export interface EndedJob {
  readonly kind: string;
  readonly name: string | null;
  readonly succeeded: boolean;
  readonly finishedAt: string;
  readonly text: string;
}

/** The notification about a job that has ended. */
export function jobAlert(server: string, job: EndedJob, log: readonly string[]): Alert {
  const what = job.name === null ? job.kind : `${job.kind} ${job.name}`;
  const facts = { server, job: job.name, text: job.text, at: job.finishedAt };
  return job.succeeded
    ? { ...facts, event: "succeeded", subject: `${server}: ${what} is done`, log: [] }
    : { ...facts, event: "failed", subject: `${server}: ${what} failed`, log };
}

/** The notification that backups are overdue, or are good again (no reasons). */
export function overdueAlert(server: string, reasons: readonly string[], now: Date): Alert {
  const facts = { server, job: null, log: [], at: now.toISOString() };
  return reasons.length > 0
    ? {
        ...facts,
        event: "overdue",
        subject: `${server}: backups are overdue`,
        text: reasons.join("\n"),
      }
    : {
        ...facts,
        event: "good again",
        subject: `${server}: backups are good again`,
        text: "a backup of every job was made in time, and the newest verified one is new enough",
      };
}

/** Whether a channel carries an alert: the ping reports only whether the last backup succeeded. */
export function carries(channel: Channel, { event }: Alert): boolean {
  return channel === "ping" ? event !== "good again" : event !== "succeeded";
}

/** The body of an email. */
export function mailText({ server, job, text, log, at }: Alert): string {
  const head = [`server  ${server}`, ...(job === null ? [] : [`job     ${job}`]), `time    ${at}`];
  const tail = log.length > 0 ? ["", "The last lines of the log:", "", ...log] : [];
  return [...head, "", text, ...tail, ""].join("\n");
}

/** The URL of a ping: as configured after a success, with `/fail` appended to its path otherwise. */
export function pingUrl(base: string, { event }: Pick<Alert, "event">): string {
  if (event === "succeeded") return base;
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/fail`;
  return url.href;
}

/** All secret values in the section. */
export function secretsOfAlerts({ webhook, ping, email }: AlertsConfig): string[] {
  const smtp = email && parseUrl(email.smtp);
  const password = smtp?.password ?? "";
  const urls = [webhook, ping, email?.smtp].filter((url) => url !== undefined);
  return [...urls, ...(password === "" ? [] : [password, decodeURIComponent(password)])];
}

/** The section without values that may be secret. */
export function withoutAlertSecrets(alerts: AlertsConfig): unknown {
  return {
    webhook: alerts.webhook !== undefined,
    ping: alerts.ping !== undefined,
    email: alerts.email && { to: alerts.email.to, from: alerts.email.from },
  };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
