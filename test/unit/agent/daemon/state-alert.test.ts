import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Alert, AlertsConfig, Channel } from "../../../../model/backup/alerts";

const settings: AlertsConfig = {
  webhook: "https://x.example/hook",
  ping: "https://x.example/ping",
  email: { to: ["a@b.c"], from: "d@e.f", smtp: "smtps://u:p%ss@m.example" },
};
const minute = 60_000;
const start = Date.parse("2026-11-22T09:00:00Z");

let home = "";
let sent: [string, readonly Channel[]][] = [];
/** Channels that accept nothing. */
let broken: readonly Channel[] = [];

async function send(
  _: AlertsConfig,
  alert: Alert,
  channels: readonly Channel[] = [],
): Promise<Channel[]> {
  sent.push([alert.event, channels]);
  return Promise.resolve(channels.filter((channel) => !broken.includes(channel)));
}

/** A fresh agent with the same volume. */
async function agent() {
  vi.resetModules();
  vi.stubEnv("STAGECRAFT_HOME", home);
  return import("../../../../agent/daemon/alerts/overdue-alert.js");
}

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), "alerts-"));
  sent = [];
  broken = [];
});

describe("an alert of a state", () => {
  test("is sent once, again for a further reason, and once at the end; also after a restart", async () => {
    let { sendOverdueAlert } = await agent();
    const look = async (reasons: string[], at: number): Promise<void> =>
      sendOverdueAlert(settings, "prod", reasons, new Date(start + at * minute), send);
    await look([], 0);
    await look(["the newest verified backup is 26 h old"], 1);
    await look(["the newest verified backup is 27 h old"], 2);
    ({ sendOverdueAlert } = await agent());
    await look(["the newest verified backup is 2 d old"], 3);
    expect(sent.map(([event]) => event)).toEqual(["overdue"]);
    await look(["the newest verified backup is 2 d old", "no backup of job nightly"], 4);
    await look(["no backup of job nightly"], 5);
    expect(sent.map(([event]) => event)).toEqual(["overdue", "overdue"]);
    await look([], 6);
    await look([], 7);
    expect(sent.at(-1)).toEqual(["good again", ["webhook", "email"]]);
    expect(sent).toHaveLength(3);
  });

  test("is tried again on a channel that fails, after longer and longer pauses, and on no other", async () => {
    const { sendOverdueAlert } = await agent();
    broken = ["email"];
    for (let at = 0; at < 180; at++) {
      await sendOverdueAlert(settings, "prod", ["late"], new Date(start + at * minute), send);
    }
    expect(sent[0]).toEqual(["overdue", ["webhook", "email", "ping"]]);
    expect(sent.slice(1).every(([, channels]) => channels.join() === "email")).toBe(true);
    expect(sent.length).toBeLessThan(10);
  });

  test("of archiving does not wait for the one of backups", async () => {
    const { sendOverdueAlert, sendArchivingAlert } = await agent();
    const now = new Date(start);
    await sendOverdueAlert(settings, "prod", ["late"], now, send);
    await sendArchivingAlert(settings, "prod", ["archiving fails: Permission denied"], now, send);
    await sendArchivingAlert(settings, "prod", [], now, send);
    expect(sent).toEqual([
      ["overdue", ["webhook", "email", "ping"]],
      ["archiving failed", ["webhook", "email", "ping"]],
      ["archiving good again", ["webhook", "email"]],
    ]);
    await sendOverdueAlert(settings, "prod", ["late"], now, send);
    expect(sent).toHaveLength(3);
  });

  test("is not sent every minute when its state is damaged or cannot be saved", async () => {
    writeFileSync(path.join(home, "alerts.json"), "{");
    const { sendOverdueAlert } = await agent();
    await sendOverdueAlert(settings, "prod", ["late"], new Date(start), send);
    await sendOverdueAlert(settings, "prod", ["late"], new Date(start + minute), send);
    expect(sent).toHaveLength(1);
    home = path.join(home, "gone");
    const other = await agent();
    for (let at = 0; at < 5; at++)
      await other.sendOverdueAlert(settings, "prod", ["late"], new Date(start + at * minute), send);
    expect(sent).toHaveLength(2);
  });
});
