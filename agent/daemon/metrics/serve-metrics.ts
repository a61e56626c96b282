import { createServer, type Server } from "node:http";
import { statfs } from "node:fs/promises";
import { backupMetrics, type Metric } from "../../../model/backup/metrics";
import { readOverdueReasons } from "../../jobs/overdue";
import { readCatalogue, repositoryFolder } from "../../repository/repository";
import { readSchedule } from "../../jobs/schedule";
import { now } from "../../system/clock";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { readWalArchiving, type WalArchiving } from "./wal-archiving";

/** Where Prometheus asks, in the server's own network; the port that exporters for PostgreSQL have. */
const port = 9187;

/** Milliseconds in which the same answer is given again: whoever asks often costs no more. */
const cacheMilliseconds = 5_000;

/** Answers Prometheus at `/metrics`; nothing is looked at while nobody asks. */
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
      response.writeHead(404).end("the numbers are at /metrics\n");
      return;
    }
    answer().then(
      (text) => {
        response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
        response.end(text);
      },
      (error: unknown) => {
        logLine(`the numbers could not be read: ${messageOf(error)}`);
        response.writeHead(500).end();
      },
    );
  });
  http.on("error", (error) => {
    logLine(`nobody can ask for the numbers: ${error.message}`);
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
  const moment = now();
  const [catalogue, request, space, wal] = await Promise.all([
    readCatalogue(),
    readSchedule().catch(() => undefined),
    statfs(repositoryFolder).catch(() => undefined),
    readWalArchiving(),
  ]);
  const late = await readOverdueReasons(request, catalogue, moment);
  const freeBytes = space ? space.bavail * space.bsize : null;
  return [...backupMetrics({ catalogue, late, freeBytes }, moment), ...walMetrics(wal)];
}

/** None where nothing is archived. */
function walMetrics(wal: WalArchiving | undefined): Metric[] {
  if (!wal) return [];
  const metric = (name: string, help: string, value: number | null): Metric => ({
    ...{ name, help, labels: [] },
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
  ];
}
