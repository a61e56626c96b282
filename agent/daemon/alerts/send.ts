import { setTimeout as sleep } from "node:timers/promises";
import {
  channels,
  carries,
  mailText,
  pingUrl,
  secretsOfAlerts,
  type Alert,
  type AlertsConfig,
  type Channel,
} from "../../../model/backup/alerts";
import { hideSecrets } from "../../../model/base/hide-secrets";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";

/** Timeout of one attempt on one channel. */
const timeoutMilliseconds = 15_000;

/** Milliseconds to wait before each attempt. */
const retryPauses = [0, 2_000, 10_000];

/** Sends an alert to every configured channel it is meant for; returns the channels that accepted it. Failures are only logged. */
export async function sendAlert(
  settings: AlertsConfig,
  alert: Alert,
  requested: readonly Channel[] = channels,
  waits: readonly number[] = retryPauses,
): Promise<Channel[]> {
  const targets = requested.filter((channel) => settings[channel] && carries(channel, alert));
  const sent = await Promise.all(
    targets.map(async (channel) =>
      (await trySend(settings, channel, alert, waits)) ? [channel] : [],
    ),
  );
  return sent.flat();
}

async function trySend(
  settings: AlertsConfig,
  channel: Channel,
  alert: Alert,
  waits: readonly number[],
): Promise<boolean> {
  let problem = "";
  for (const wait of waits) {
    await sleep(wait);
    try {
      await senders[channel](settings, alert);
      return true;
    } catch (error) {
      problem = hideSecrets(causeOf(error), secretsOfAlerts(settings));
    }
  }
  logLine(`cannot send the alert "${alert.subject}" by ${channel}: ${problem}`);
  return false;
}

const senders: Readonly<Record<Channel, (settings: AlertsConfig, alert: Alert) => Promise<void>>> =
  {
    webhook: async ({ webhook = "" }, alert) => {
      // Chat programs show the field `text`.
      const body = { ...alert, text: `${alert.subject}\n${alert.text}` };
      await post(webhook, JSON.stringify(body), "application/json");
    },
    ping: async ({ ping = "" }, alert) => {
      await post(pingUrl(ping, alert), alert.text, "text/plain; charset=utf-8");
    },
    email: async ({ email }, alert) => {
      if (!email) return;
      const { createTransport } = await import("nodemailer");
      const transport = createTransport({
        ...smtpOptions(email.smtp),
        ...{
          connectionTimeout: timeoutMilliseconds,
          greetingTimeout: timeoutMilliseconds,
          socketTimeout: timeoutMilliseconds,
        },
      });
      const { from, to } = email;
      await transport.sendMail({ from, to, subject: alert.subject, text: mailText(alert) });
    },
  };

/** Options of nodemailer for an SMTP URL; with a password TLS is required. */
function smtpOptions(text: string) {
  const url = new URL(text);
  const secure = url.protocol === "smtps:";
  const auth = { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  const hasAuth = auth.user !== "";
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    secure,
    port: url.port === "" ? (secure ? 465 : hasAuth ? 587 : 25) : Number(url.port),
    ...(hasAuth && { auth, requireTLS: !secure }),
  };
}

async function post(url: string, body: string, type: string): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": type, "user-agent": "stagecraft" },
    body,
    signal: AbortSignal.timeout(timeoutMilliseconds),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`HTTP status ${response.status} ${response.statusText}`.trim());
}

/** The cause behind fetch's "fetch failed". */
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause === undefined ? messageOf(error) : messageOf(cause);
}
