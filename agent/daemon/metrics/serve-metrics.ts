import { createServer, type Server } from "node:http";
import { statfs } from "node:fs/promises";
import { channels } from "../../../model/backup/alerts";
import type { ChannelStates } from "../../../model/backup/channel-states";
import { backupMetrics, type Metric } from "../../../model/backup/metrics";
import { scheduledJobs, type ScheduledJob } from "../../../model/backup/scheduled-jobs";
import { readJobStates } from "../../jobs/job-states";
import { jobKey, type JobStates } from "../../jobs/scheduler";
import { readOverdueReasons } from "../../jobs/overdue";
import { readBackupCatalogue } from "../../repository/repository";
import { repositoryFolder } from "../../repository/stored-backup";
import { readSchedule } from "../../jobs/schedule";
import { now } from "../../system/clock";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { readChannelStates } from "../alerts/channel-states";
import { readWalArchiving, type WalArchiving } from "./wal-archiving";

/** Port for Prometheus in the server's own network; the usual port of PostgreSQL exporters. */
const port = 9187;

/** Milliseconds for which metrics are cached, so that frequent scrapes cost nothing. */
const cacheMilliseconds = 5_000;

/** Serves metrics for Prometheus at `/metrics`. They are collected only on request. */
export function serveMetrics(server: string): Server {
  let last: { readonly at: number; readonly text: Promise<string> } | undefined;
  const answer = (): Promise<string> => {
    if (!last || Date.now() - last.at > cacheMilliseconds) {
      last = { at: Date.now(), text: renderMetrics(server) };
    }
    return last.text;
  };
  const http = createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end("metrics are at /metrics\n");
      return;
    }
    answer().then(
      (text) => {
        response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
        response.end(text);
      },
      (error: unknown) => {
        logLine(`cannot collect metrics: ${messageOf(error)}`);
        response.writeHead(500).end();
      },
    );
  });
  http.on("error", (error) => {
    logLine(`the metrics endpoint is unavailable: ${error.message}`);
  });
  http.listen(port);
  return http;
}

async function renderMetrics(server: string): Promise<string> {
  const { Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  for (const { name, help, labels, samples } of await readMetrics()) {
    const labelNames = ["server", ...labels];
    const gauge = new Gauge({
      name: `stagecraft_${name}`,
      help,
      labelNames,
      registers: [registry],
    });
    for (const { labels, value } of samples) gauge.set({ server, ...labels }, value);
  }
  return registry.metrics();
}

async function readMetrics(): Promise<Metric[]> {
  const time = now();
  const [catalogue, request, space, wal] = await Promise.all([
    readBackupCatalogue(),
    readSchedule().catch(() => undefined),
    statfs(repositoryFolder).catch(() => undefined),
    readWalArchiving(),
  ]);
  const late = await readOverdueReasons(request, catalogue, time);
  const freeBytes = space ? space.bavail * space.bsize : null;
  const jobs = request && Object.keys(request.jobs);
  return [
    ...backupMetrics({ catalogue, late, freeBytes, jobs }, time),
    ...jobMetrics(request ? scheduledJobs(request) : [], await readJobStates()),
    ...channelMetrics(await readChannelStates()),
    ...walMetrics(wal),
  ];
}

/** Whether the last run of each job of the schedule failed, and when it was. */
function jobMetrics(jobs: readonly ScheduledJob[], states: JobStates): Metric[] {
  const ran = jobs.flatMap(({ kind, name }) => {
    const last = states[jobKey({ kind, name })]?.last;
    return last ? [{ labels: { kind, job: name }, last }] : [];
  });
  return [
    {
      name: "job_failed",
      help: "Whether the last run of a job failed (1) or not (0).",
      labels: ["kind", "job"],
      samples: ran.map(({ labels, last }) => ({ labels, value: last.succeeded ? 0 : 1 })),
    },
    {
      name: "job_last_run_timestamp_seconds",
      help: "When the last run of a job ended.",
      labels: ["kind", "job"],
      samples: ran.map(({ labels, last }) => ({
        labels,
        value: Date.parse(last.finishedAt) / 1000,
      })),
    },
  ];
}

/** The alerts that could not be sent. */
function channelMetrics(states: ChannelStates): Metric[] {
  const sent = channels.flatMap((channel) => {
    const state = states[channel];
    return state ? [{ labels: { channel }, state }] : [];
  });
  return [
    {
      name: "alerts_unsent",
      help: "Number of alerts that a channel did not accept.",
      labels: ["channel"],
      samples: sent.map(({ labels, state }) => ({ labels, value: state.failures })),
    },
    {
      name: "alert_channel_failing",
      help: "Whether a channel did not accept the last alert (1) or did (0).",
      labels: ["channel"],
      samples: sent.map(({ labels, state }) => ({
        labels,
        value: state.problem === null ? 0 : 1,
      })),
    },
  ];
}

/** Empty when WAL archiving is off. */
function walMetrics(wal: WalArchiving | undefined): Metric[] {
  if (!wal) return [];
  const metric = (name: string, help: string, value: number | null): Metric => ({
    name,
    help,
    labels: [],
    samples: value === null ? [] : [{ labels: {}, value }],
  });
  return [
    metric(
      "wal_lag_seconds",
      "How long the oldest finished WAL segment has waited to be archived.",
      wal.lag,
    ),
    metric(
      "wal_last_archived_timestamp_seconds",
      "When a WAL segment was archived last.",
      wal.lastArchived,
    ),
    metric("wal_archive_failures", "How often archiving a WAL segment has failed.", wal.failures),
    metric(
      "wal_archive_failing",
      "Whether the last attempt to archive a WAL segment failed (1) or not (0).",
      wal.isFailing ? 1 : 0,
    ),
    metric(
      "wal_archive_gaps",
      "Number of gaps in the WAL archive that cannot be recovered to.",
      wal.gaps,
    ),
  ];
}
