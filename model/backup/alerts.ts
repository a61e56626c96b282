import { z } from "zod";
import { encryptedPlaceholder } from "../base/encrypted-value";
import { parseSmtpUrl, splitLogin } from "./credential-urls";

/** A URL. It may be a secret, so it is never shown. */
function urlSchema(isValid: (text: string) => boolean, example: string) {
  const message = `must be a URL like ${example}`;
  return z.string().superRefine((text, context) => {
    if (text === encryptedPlaceholder || isValid(text)) return;
    // With an object as its input, the value is not appended to the message.
    context.addIssue({ code: "custom", message, input: {} });
  });
}

const webSchema = urlSchema((text) => {
  const url = parseUrl(text);
  return url !== undefined && /^https?:$/.test(url.protocol) && url.hostname !== "";
}, "https://alerts.example.com/hook");

const addressSchema = z
  .string()
  .regex(/^[^\s@<>,;"]+@[^\s@<>,;"]+$/, "must be an address like ops@example.com");

const emailSchema = z.strictObject({
  to: z.array(addressSchema).min(1, "must name an address"),
  from: addressSchema,
  smtp: urlSchema(
    (text) => parseSmtpUrl(text) !== undefined,
    "smtps://user:password@mail.example.com",
  ),
  ca: z
    .string()
    .regex(/-----BEGIN CERTIFICATE-----[^]+-----END CERTIFICATE-----/, {
      error: "must be certificates in PEM: -----BEGIN CERTIFICATE-----…",
    })
    .optional()
    .meta({
      description: "Certificate authority of the mail server, in PEM, if it is not a public one.",
    }),
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
export const alertEvents = [
  "failed",
  "overdue",
  "good again",
  "archiving failed",
  "archiving good again",
  "archive gap",
  "test",
  "succeeded",
] as const;

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

/** The notification of a ping that a backup was made, but that other things are not good. */
export function stillBadAlert(server: string, job: EndedJob, problems: readonly string[]): Alert {
  const name = job.name ?? job.kind;
  return {
    ...{ event: "failed", server, job: job.name, log: [], at: job.finishedAt },
    subject: `${server}: ${name} is done, but not all is good`,
    text: problems.join("\n"),
  };
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

/** The notification that WAL archiving fails, or works again (no problems). */
export function archivingAlert(server: string, problems: readonly string[], now: Date): Alert {
  const facts = { server, job: null, log: [], at: now.toISOString() };
  return problems.length > 0
    ? {
        ...facts,
        event: "archiving failed",
        subject: `${server}: WAL archiving fails`,
        text: `${problems.join("\n")}\nlater changes cannot be recovered to a point in time until it works again`,
      }
    : {
        ...facts,
        event: "archiving good again",
        subject: `${server}: WAL archiving works again`,
        text: "all WAL that was waiting is being archived",
      };
}

/** The notification that WAL was discarded. */
export function archiveGapAlert(server: string, since: Date, now: Date): Alert {
  return {
    ...{ server, job: null, log: [], at: now.toISOString(), event: "archive gap" },
    subject: `${server}: the WAL archive has a gap`,
    text: `WAL since ${since.toISOString()} was discarded because too much was waiting to be archived; changes from then until the next base backup cannot be recovered to a point in time`,
  };
}

/** The notification that an operator has asked for. */
export function testAlert(server: string, now: Date): Alert {
  return {
    ...{ server, job: null, log: [], at: now.toISOString(), event: "test" },
    subject: `${server}: test alert`,
    text: `this is a test: alerts of ${server} arrive here`,
  };
}

/** Whether a channel carries an alert: the ping reports only whether backups are good. */
export function carries(channel: Channel, { event }: Pick<Alert, "event">): boolean {
  if (channel !== "ping") return event !== "succeeded";
  return event !== "good again" && event !== "archiving good again" && event !== "archive gap";
}

/** The body of an email. */
export function mailText({ server, job, text, log, at }: Alert): string {
  const head = [`server  ${server}`, ...(job === null ? [] : [`job     ${job}`]), `time    ${at}`];
  const tail = log.length > 0 ? ["", "The last lines of the log:", "", ...log] : [];
  return [...head, "", text, ...tail, ""].join("\n");
}

/** The URL of a ping: as configured after a success and for a test, with `/fail` appended to its path otherwise. */
export function pingUrl(base: string, { event }: Pick<Alert, "event">): string {
  if (event === "succeeded" || event === "test") return base;
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/fail`;
  return url.href;
}

/** All secret values in the section. */
export function secretsOfAlerts({ webhook, ping, email }: AlertsConfig): string[] {
  const urls = [webhook, ping, email?.smtp].filter((url) => url !== undefined);
  const raw = urls.flatMap((url) => /:\/\/[^:]*:(.+)@/s.exec(url)?.[1] ?? []);
  const web = [webhook, ping].flatMap((url) =>
    url !== undefined && URL.canParse(url)
      ? (splitLogin(url).login?.split(":").slice(1).join(":") ?? [])
      : [],
  );
  const mail = email && parseSmtpUrl(email.smtp)?.password;
  const all = [...urls, ...raw, ...web, ...(mail === undefined ? [] : [mail])];
  return [...new Set(all)].filter((secret) => secret !== "");
}

/** The section without values that may be secret. */
export function withoutAlertSecrets(alerts: AlertsConfig): unknown {
  return {
    webhook: alerts.webhook !== undefined,
    ping: alerts.ping !== undefined,
    email: alerts.email && {
      to: alerts.email.to,
      from: alerts.email.from,
      ...(alerts.email.ca !== undefined && { ca: alerts.email.ca }),
    },
  };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
