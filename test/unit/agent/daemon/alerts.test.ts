import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sendAlert } from "../../../../agent/daemon/alerts/send";
import {
  alertsConfigSchema,
  jobAlert,
  overdueAlert,
  pingUrl,
  secretsOfAlerts,
  type AlertsConfig,
} from "../../../../model/backup/alerts";
import { parseSmtpUrl } from "../../../../model/backup/credential-urls";
import { problemsOf } from "../../../../model/stack-file/zod-problems";

const at = "2026-11-22T03:31:00Z";
const job = {
  kind: "backup",
  name: "nightly",
  succeeded: false,
  finishedAt: at,
  text: "the disk is full; make room",
};
const failed = jobAlert("prod", job, ["dumping public.t", "no space left"]);

/** What came in. */
const requests: { path: string; type: string; body: string }[] = [];
const mails: string[] = [];
let answers: number[] = [];

const logins: string[] = [];

const web = createServer((request, response) => {
  const { authorization } = request.headers;
  if (authorization !== undefined) logins.push(authorization.replace("Basic ", ""));
  let body = "";
  request.on("data", (piece: Buffer) => (body += piece.toString()));
  request.on("end", () => {
    requests.push({ path: request.url ?? "", type: request.headers["content-type"] ?? "", body });
    response.writeHead(answers.shift() ?? 200).end();
  });
});
const mail = new SMTPServer({
  disabledCommands: ["STARTTLS"],
  authOptional: true,
  onData: (stream, session, done) => {
    const { mailFrom, rcptTo } = session.envelope;
    let text = `${mailFrom ? mailFrom.address : ""} -> ${rcptTo.map(({ address }) => address).join(",")}\n`;
    stream.on("data", (piece: Buffer) => (text += piece.toString()));
    stream.on("end", () => {
      mails.push(text);
      done();
    });
  },
});
let settings: AlertsConfig;
let base = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => mail.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const smtp = `smtp://127.0.0.1:${(mail.server.address() as AddressInfo).port}`;
  settings = {
    webhook: `${base}/hook?token=hush-hush`,
    ping: `${base}/ping/hush-hush`,
    email: { to: ["ops@example.com", "boss@example.com"], from: "stagecraft@example.com", smtp },
  };
});
beforeEach(() => {
  requests.length = 0;
  mails.length = 0;
  answers = [];
});
afterAll(() => {
  web.close();
  mail.close();
});

describe("an alert is sent", () => {
  test("as JSON to a webhook, as a mail, and as a failure to the ping", async () => {
    expect(await sendAlert(settings, failed)).toEqual(["webhook", "email", "ping"]);
    const hook = requests.find(({ path }) => path === "/hook?token=hush-hush");
    expect(hook?.type).toBe("application/json");
    expect(JSON.parse(hook?.body ?? "")).toEqual({
      ...{ event: "failed", server: "prod", job: "nightly", at },
      subject: "prod: backup nightly failed",
      text: "prod: backup nightly failed\nthe disk is full; make room",
      log: ["dumping public.t", "no space left"],
    });
    expect(requests.map(({ path }) => path)).toContain("/ping/hush-hush/fail");
    const [text = ""] = mails;
    expect(text).toMatch(/^stagecraft@example\.com -> ops@example\.com,boss@example\.com\n/);
    expect(text).toContain("Subject: prod: backup nightly failed\r\n");
    expect(text).toMatch(
      /the disk is full; make room[^]*The last lines of the log:[^]*no space left/,
    );
  });

  test("of a backup that was made to the ping alone", async () => {
    const made = jobAlert("prod", { ...job, succeeded: true }, []);
    expect(await sendAlert(settings, made)).toEqual(["ping"]);
    expect(requests.map(({ path }) => path)).toEqual(["/ping/hush-hush"]);
    expect(mails).toEqual([]);
  });

  test("again when it was not taken, and by the other channels all the same", async () => {
    answers = [503, 503, 503, 503];
    const taken = await sendAlert(settings, failed, undefined, [0, 20, 20]);
    expect(taken).toContain("email");
    expect(requests.length).toBe(6);
    expect(mails.length).toBe(1);
  });

  test.each(["p%ss", "100%", "%zz%41", "a@b:c/d?e#f g", "ä&=+\"'\\\\"])(
    "by the other channels and to the mail server, whatever the password is: %s",
    async (password) => {
      const { email, ...others } = settings;
      const smtp = email?.smtp.replace("//", `//ops@example.com:${password}@`) ?? "";
      const all = { ...others, email: { to: ["ops@example.com"], from: "a@b.c", smtp } };
      expect(alertsConfigSchema.safeParse(all).error).toBeUndefined();
      // This mail server offers no TLS, so the password is not sent.
      expect(await sendAlert(all, failed, undefined, [0])).toEqual(["webhook", "ping"]);
      expect(secretsOfAlerts(all)).toContain(password === "%zz%41" ? "%zzA" : password);
      const { user, host, port } = parseSmtpUrl(smtp) ?? {};
      expect({ user, host, port }).toEqual({
        ...{ user: "ops@example.com", host: "127.0.0.1" },
        port: (mail.server.address() as AddressInfo).port,
      });
    },
  );

  test("with the login of a web address in a header", async () => {
    const ping = `${base.replace("//", "//ops:50%25%zz@")}/ping`;
    expect(await sendAlert({ ping }, failed, undefined, [0])).toEqual(["ping"]);
    expect(logins).toEqual([Buffer.from("ops:50%%zz").toString("base64")]);
  });

  test("never with a password over a line that others can read", async () => {
    const { email } = settings;
    if (!email) throw new Error("no mail");
    const smtp = email.smtp.replace("//", "//user:hush-hush@");
    expect(await sendAlert({ email: { ...email, smtp } }, failed, undefined, [0])).toEqual([]);
    expect(mails).toEqual([]);
  });
});

describe("lateness", () => {
  test("is told with its reasons, and its end without", () => {
    const now = new Date(at);
    expect(overdueAlert("prod", ["no backup of job nightly"], now)).toMatchObject({
      event: "overdue",
      subject: "prod: backups are overdue",
      text: "no backup of job nightly",
    });
    expect(overdueAlert("prod", [], now)).toMatchObject({ event: "good again" });
  });

  test("is a failure to the ping, behind the path of its address", () => {
    expect(pingUrl("https://hc.example/abc/?x=1", { event: "overdue" })).toBe(
      "https://hc.example/abc/fail?x=1",
    );
    expect(pingUrl("https://hc.example/abc", { event: "succeeded" })).toBe(
      "https://hc.example/abc",
    );
  });
});

describe("the settings", () => {
  test("are refused without showing what may be secret", () => {
    const wrong = {
      webhook: "hush-hush",
      ping: "ftp://hush-hush.example",
      email: { to: ["nobody"], from: "a@b.c", smtp: "https://hush-hush.example" },
    };
    const { error } = alertsConfigSchema.safeParse(wrong, { reportInput: true });
    const problems = (error?.issues ?? []).flatMap((issue) => problemsOf(issue, [], []));
    expect(problems.map(({ path, text }) => `${path} ${text}`)).toEqual([
      "webhook must be a URL like https://alerts.example.com/hook",
      'email.to.0 must be an address like ops@example.com, got "nobody"',
      "email.smtp must be a URL like smtps://user:password@mail.example.com",
      "ping must be a URL like https://alerts.example.com/hook",
    ]);
  });

  test("know what of them nobody is to see", () => {
    const email = { to: ["a@b.c"], from: "d@e.f", smtp: "smtps://u:p%40ss@m.example" };
    expect(secretsOfAlerts({ webhook: "https://x.example/y", email })).toEqual([
      "https://x.example/y",
      "smtps://u:p%40ss@m.example",
      "p%40ss",
      "p@ss",
    ]);
  });
});
