import { z } from "zod";
import { unseen } from "../base/encrypted-value";

/** A URL of one of the schemes. It may be a secret, so it is never shown. */
function urlSchema(schemes: readonly string[], example: string) {
  const message = `must be a URL like ${example}`;
  return z.string().superRefine((text, context) => {
    if (text === unseen) return;
    const url = parseUrl(text);
    if (url && schemes.includes(url.protocol.slice(0, -1)) && url.hostname !== "") return;
    // With a section as its input nothing is put behind it.
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

/** Who is told when a backup fails or is late: the stack file's section `backups.alerts`. */
export const alertsSettingsSchema = z.strictObject({
  webhook: webSchema.optional().meta({ description: "Gets each alert as JSON, by POST." }),
  email: emailSchema.optional().meta({ description: "Gets each alert as a mail." }),
  ping: webSchema.optional().meta({
    description:
      "Is asked after each backup: itself when it was made, with /fail behind it when not.",
  }),
});
export type AlertsSettings = z.output<typeof alertsSettingsSchema>;

/** The ways in which people are told. */
export const channels = ["webhook", "email", "ping"] as const;
export type Channel = (typeof channels)[number];

/** What people are told of. `succeeded` is for the ping alone. */
export const alertEvents = ["failed", "overdue", "good again", "succeeded"] as const;

/** One thing that people are told; the webhook gets it as it is. */
export interface Alert {
  readonly event: (typeof alertEvents)[number];
  readonly server: string;
  /** The job of the schedule; `null` for one asked for by hand, or for all of them. */
  readonly job: string | null;
  /** One line. */
  readonly subject: string;
  /** Cause and fix, or what is good again. */
  readonly text: string;
  /** The last lines of the log. */
  readonly log: readonly string[];
  readonly at: string;
}

/** What became of a job, as far as people are told. */
export interface EndedJob {
  readonly kind: string;
  readonly name: string | null;
  readonly succeeded: boolean;
  readonly finishedAt: string;
  readonly text: string;
}

/** What people are told when a job has ended. */
export function jobAlert(server: string, job: EndedJob, log: readonly string[]): Alert {
  const what = job.name === null ? job.kind : `${job.kind} ${job.name}`;
  const facts = { server, job: job.name, text: job.text, at: job.finishedAt };
  return job.succeeded
    ? { ...facts, event: "succeeded", subject: `${server}: ${what} is done`, log: [] }
    : { ...facts, event: "failed", subject: `${server}: ${what} failed`, log };
}

/** What people are told when backups become overdue, or are good again (without reasons). */
export function latenessAlert(server: string, reasons: readonly string[], now: Date): Alert {
  const facts = { server, job: null, log: [], at: now.toISOString() };
  return reasons.length > 0
    ? {
        ...facts,
        event: "overdue",
        subject: `${server}: backups are overdue`,
        text: reasons.join("\n"),
      }
    : {
        ...{ ...facts, event: "good again", subject: `${server}: backups are good again` },
        text: "a backup of every job was made in time, and the newest verified one is new enough",
      };
}

/** Whether a channel carries an alert: the ping only tells whether the last backup was made. */
export function isFor(channel: Channel, { event }: Alert): boolean {
  return channel === "ping" ? event !== "good again" : event !== "succeeded";
}

/** The text of a mail. */
export function mailText({ server, job, text, log, at }: Alert): string {
  const head = [`server  ${server}`, ...(job === null ? [] : [`job     ${job}`]), `time    ${at}`];
  const tail = log.length > 0 ? ["", "The last lines of the log:", "", ...log] : [];
  return [...head, "", text, ...tail, ""].join("\n");
}

/** The address of a ping: the URL itself when all is well, and with /fail behind its path when not. */
export function pingUrl(base: string, { event }: Pick<Alert, "event">): string {
  if (event === "succeeded") return base;
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/fail`;
  return url.href;
}

/** Everything in the settings that nobody is to see. */
export function secretsOfAlerts({ webhook, ping, email }: AlertsSettings): string[] {
  const smtp = email && parseUrl(email.smtp);
  const password = smtp?.password ?? "";
  const urls = [webhook, ping, email?.smtp].filter((url) => url !== undefined);
  return [...urls, ...(password === "" ? [] : [password, decodeURIComponent(password)])];
}

/** The same without what may be secret. */
export function withoutAlertSecrets(alerts: AlertsSettings): unknown {
  return {
    ...{ webhook: alerts.webhook !== undefined, ping: alerts.ping !== undefined },
    email: alerts.email && { to: alerts.email.to, from: alerts.email.from },
  };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
