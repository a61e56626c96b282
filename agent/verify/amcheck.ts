import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { EnvironmentError } from "../system/errors";
import { clientEnvironment, connectionString } from "../postgres/client-programs";

/** System catalogs except those of large objects: a restore does not write them, so they say nothing about the backup. */
const catalogs = "pg_catalog.pg_([a-km-z]|l[b-z])*";

/** Lines of pg_amcheck's output that are reported. */
const shownLines = 3;

/**
 * Checks the tables and indexes of a restored database with pg_amcheck. PostgreSQL manual, pg_amcheck.
 *
 * @param database name of the backed-up database, for messages
 * @param restored the database to check
 * @param jobs parallel connections
 * @returns the problems found, one sentence each
 */
export async function amcheck(
  database: string,
  restored: string,
  jobs: number,
): Promise<readonly string[]> {
  const args = [
    "--install-missing",
    `--jobs=${jobs}`,
    `--exclude-relation=${catalogs}`,
    connectionString(restored),
  ];
  const child = spawn("pg_amcheck", args, {
    env: clientEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const [status, stdout, stderr] = await Promise.all([
    ended,
    text(child.stdout),
    text(child.stderr),
  ]);
  if (status === 0) return [];
  // 2: it found corruption and printed it to stdout. PostgreSQL manual, pg_amcheck, exit status.
  if (status === 2) return [`${database}: amcheck: ${firstLines(stdout)}`];
  throw new EnvironmentError(
    `pg_amcheck ended with ${status === null ? "a signal" : `status ${status}`}: ${firstLines(stderr)}; check PostgreSQL's log, then verify the backup again`,
  );
}

function firstLines(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .slice(0, shownLines)
    .join(" ");
}
