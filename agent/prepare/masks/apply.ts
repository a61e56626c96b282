import type { Client } from "pg";
import { describeMask, type Masks } from "../../../model/masks/mask";
import {
  planMasks,
  tablesAtOnce,
  type MaskPlan,
  type TableRewrite,
} from "../../../model/masks/plan";
import type { MasksReport } from "../../../model/masks/report";
import { trialSql } from "../../../model/masks/statements";
import type { ConfigProblem } from "../../../model/base/config-problem";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { formatCount } from "../../../model/base/units";
import { withConnection } from "../../postgres/connect";
import { readMaskCatalogue } from "./catalogue";
import { failureText } from "./failure";
import { dropForeignKeys, recreateForeignKeys } from "./foreign-keys";
import {
  withMaskingSessions,
  type MaskedDatabase,
  type OpenMaskingSession,
} from "./masking-session";
import { refreshMaterializedViews } from "./materialized-views";
import { removeRemnants, unlinkLargeObjects } from "./remnants";
import { runSingleStatement, rewriteTable, type RewriteResult } from "./rewrite-table";

/** Result of checking masks: problems, or else a plan. */
export interface CheckedMasks {
  readonly problems: readonly ConfigProblem[];
  readonly plan: MaskPlan | undefined;
}

/**
 * Plans the masks of a database and tries each on a few rows, so that errors of an expression or a domain are reported
 * before anything is changed. Read-only.
 */
export async function checkMasks(
  database: MaskedDatabase,
  masks: Masks,
  key: string,
): Promise<CheckedMasks> {
  return withMaskingSessions(database, async (open) => {
    const client = await open(key);
    try {
      return await checkWith(client, masks);
    } finally {
      await client.end();
    }
  });
}

async function checkWith(client: Client, masks: Masks): Promise<CheckedMasks> {
  const { problems, plan } = planMasks(await readMaskCatalogue(client), masks);
  if (!plan) return { problems, plan };
  await client.query("SET search_path = public");
  const found: ConfigProblem[] = [];
  for (const rewrite of plan.rewrites) found.push(...(await tryMasks(client, rewrite)));
  const distinct = new Map(found.map((problem) => [JSON.stringify(problem), problem]));
  return { problems: [...distinct.values()], plan: distinct.size === 0 ? plan : undefined };
}

/**
 * Masks a database without other connections, by a plan of its current state. No previous values remain in its files,
 * but WAL and backups of it contain them. Throws the first error; the caller must then drop the database, because only
 * some tables are masked. Run ANALYZE afterwards.
 *
 * @param report Called with a progress line after each table.
 */
export async function applyMasks(
  database: MaskedDatabase,
  plan: MaskPlan,
  key: string,
  report: (line: string) => void = () => undefined,
): Promise<MasksReport> {
  return withMaskingSessions(database, async (open) =>
    withConnection(database.database, async (admin) => {
      const clients = await openAll(open, key);
      try {
        return await applyWith(admin, clients, plan, report);
      } finally {
        for (const one of clients) await one.end().catch(() => undefined);
      }
    }),
  );
}

/** @param admin The superuser's session, for the catalogs and for large objects, which belong to the application. */
async function applyWith(
  admin: Client,
  clients: readonly [Client, ...Client[]],
  plan: MaskPlan,
  report: (line: string) => void,
): Promise<MasksReport> {
  const started = performance.now();
  const [client] = clients;
  let largeObjectsRemoved = 0;
  for (const { target, column } of plan.emptied)
    largeObjectsRemoved += await unlinkLargeObjects(client, admin, target, q(column));
  await dropForeignKeys(client, plan.foreignKeys);
  const done = await rewriteAll(admin, clients, plan, report);
  await recreateForeignKeys(client, plan.foreignKeys);
  await refreshMaterializedViews(client);
  // So that the counters of changed rows are up to date.
  for (const one of clients) await one.query("SELECT pg_stat_force_next_flush()");
  await removeRemnants(
    admin,
    plan.rewrites.flatMap(({ relations }) => relations),
  );
  return makeReport(plan, done, largeObjectsRemoved, (performance.now() - started) / 1000);
}

async function tryMasks(client: Client, rewrite: TableRewrite): Promise<ConfigProblem[]> {
  if ((await rejectionOf(client, trialSql(rewrite))) === undefined) return [];
  const problems: ConfigProblem[] = [];
  for (const column of rewrite.masked) {
    const text = await rejectionOf(client, trialSql(rewrite, [column]));
    if (text !== undefined)
      problems.push({
        path: column.path,
        text: `PostgreSQL rejects ${describeMask(column.mask)}: ${text}`,
      });
  }
  return problems;
}

async function rejectionOf(client: Client, sql: string): Promise<string | undefined> {
  try {
    await runSingleStatement(client, sql);
    return undefined;
  } catch (error) {
    return failureText(error);
  }
}

async function openAll(open: OpenMaskingSession, key: string): Promise<[Client, ...Client[]]> {
  const clients: [Client, ...Client[]] = [await open(key)];
  try {
    while (clients.length < tablesAtOnce) clients.push(await open(key));
    for (const client of clients) await client.query("SET search_path = public");
    return clients;
  } catch (error) {
    for (const client of clients) await client.end().catch(() => undefined);
    throw error;
  }
}

/** Each connection rewrites the next table until none is left or one has failed. */
async function rewriteAll(
  admin: Client,
  clients: readonly Client[],
  { rewrites }: MaskPlan,
  report: (line: string) => void,
): Promise<Map<TableRewrite, RewriteResult>> {
  const done = new Map<TableRewrite, RewriteResult>();
  const waiting = [...rewrites];
  let failed = false;
  const work = async (client: Client): Promise<void> => {
    for (let rewrite = waiting.shift(); rewrite && !failed; rewrite = waiting.shift()) {
      try {
        done.set(rewrite, await rewriteTable(client, admin, rewrite));
      } catch (error) {
        failed = true;
        throw error;
      }
      const values = [...done.values()].flatMap((one) => one.values).reduce((a, b) => a + b, 0);
      report(
        `masks ${done.size} of ${rewrites.length} tables · ${formatCount(values)} values · ${rewrite.title}`,
      );
    }
  };
  const ended = await Promise.allSettled(clients.map(work));
  const reason = ended.find((one) => one.status === "rejected");
  if (reason) throw reason.reason;
  return done;
}

function makeReport(
  plan: MaskPlan,
  done: ReadonlyMap<TableRewrite, RewriteResult>,
  largeObjectsRemoved: number,
  seconds: number,
): MasksReport {
  const inOrder = plan.rewrites.flatMap((rewrite) => {
    const one = done.get(rewrite);
    return one ? [{ ...rewrite, ...one }] : [];
  });
  const tables = inOrder.map(({ title, rows, seconds: took }) => ({
    table: title,
    rows,
    seconds: rounded(took),
  }));
  const columns = inOrder.flatMap(({ masked, values, seconds: took }) =>
    masked.map(({ path, mask }, i) => ({
      column: path,
      mask: describeMask(mask),
      values: values[i] ?? 0,
      seconds: rounded(took / masked.length),
    })),
  );
  return {
    columns,
    tables,
    values: columns.reduce((sum, { values }) => sum + values, 0),
    seconds: rounded(seconds),
    largeObjectsRemoved,
    notes: [...plan.notes],
  };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
