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
import { parseSmtpUrl, splitLogin } from "../../../model/backup/credential-urls";
import { hideSecrets } from "../../../model/base/hide-secrets";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { recordSending } from "./channel-states";

/** Timeout of one attempt on one channel. */
const timeoutMilliseconds = 15_000;

/** Milliseconds to wait before each attempt. */
const retryPauses = [0, 2_000, 10_000];

/** Sends an alert to every configured channel it is meant for; returns the channels that accepted it. Failures are only logged and counted. */
export async function sendAlert(
  settings: AlertsConfig,
  alert: Alert,
  requested: readonly Channel[] = channels,
  waits: readonly number[] = retryPauses,
): Promise<Channel[]> {
  const targets = requested.filter((channel) => settings[channel] && carries(channel, alert));
  const sent = await Promise.all(
    targets.map(async (channel) => {
      const problem = await trySending(settings, channel, alert, waits);
      await recordSending(channel, problem).catch(() => undefined);
      if (problem === undefined) return [channel];
      logLine(`cannot send the alert "${alert.subject}" by ${channel}: ${problem}`);
      return [];
    }),
  );
  return sent.flat();
}

/** Sends an alert by one channel; returns why it was not accepted, without secrets. Nothing is thrown, so that no channel stops another. */
export async function trySending(
  settings: AlertsConfig,
  channel: Channel,
  alert: Alert,
  waits: readonly number[] = [0],
): Promise<string | undefined> {
  let problem: string | undefined;
  for (const wait of waits) {
    await sleep(wait);
    try {
      await senders[channel](settings, alert);
      return undefined;
    } catch (error) {
      problem = hideSecrets(causeOf(error), secretsOfAlerts(settings));
    }
  }
  return problem;
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
        ...smtpOptions(email),
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
function smtpOptions({ smtp, ca }: NonNullable<AlertsConfig["email"]>) {
  const server = parseSmtpUrl(smtp);
  if (!server) throw new Error("backups.alerts.email.smtp is no URL of a mail server");
  const { host, port, secure, user, password } = server;
  return {
    ...{ host, port, secure },
    ...(user !== "" && { auth: { user, pass: password }, requireTLS: !secure }),
    ...(ca !== undefined && { tls: { ca } }),
  };
}

async function post(address: string, body: string, type: string): Promise<void> {
  const { url, login } = splitLogin(address);
  const authorization =
    login === undefined ? undefined : `Basic ${Buffer.from(login).toString("base64")}`;
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": type,
      "user-agent": "stagecraft",
      ...(authorization !== undefined && { authorization }),
    },
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
