import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { EnvironmentError } from "../system/errors";
import { sessionOptions } from "../postgres/connect";
import { clientEnvironment, connectionString } from "../postgres/client-programs";

/** The catalogs but those of large objects: PostgreSQL made them itself, so they tell nothing of a backup. */
const catalogs = "pg_catalog.pg_([a-km-z]|l[b-z])*";

/** Lines of pg_amcheck that are told; its report of a broken index can be long. */
const shownLines = 3;

/**
 * Checks the tables and indexes of a restored copy with pg_amcheck. PostgreSQL manual, pg_amcheck.
 *
 * @param database what the copy is of, for people
 * @param jobs connections at the same time
 * @returns what is wrong, a sentence each
 */
export async function amcheck(
  database: string,
  copy: string,
  jobs: number,
): Promise<readonly string[]> {
  const args = [
    ...["--install-missing", `--jobs=${jobs}`, `--exclude-relation=${catalogs}`],
    connectionString(copy),
  ];
  const child = spawn("pg_amcheck", args, {
    env: clientEnvironment(sessionOptions()),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const [status, found, complaint] = await Promise.all([
    ended,
    text(child.stdout),
    text(child.stderr),
  ]);
  if (status === 0) return [];
  // 2: it has found something, and tells of it on stdout. PostgreSQL manual, pg_amcheck, exit status.
  if (status === 2) return [`${database}: amcheck: ${firstLines(found)}`];
  throw new EnvironmentError(
    `pg_amcheck ended with status ${status ?? "of a signal"}: ${firstLines(complaint)}; look at PostgreSQL's log, then verify the backup again`,
  );
}

function firstLines(said: string): string {
  const lines = said.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .slice(0, shownLines)
    .join(" ");
}
