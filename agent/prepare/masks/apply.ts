import { randomBytes } from "node:crypto";
import type { Client } from "pg";
import type { MaskCatalogue } from "../../../model/masks/catalogue";
import { describeMask, type Masks } from "../../../model/masks/mask";
import {
  planMasks,
  tablesAtOnce,
  type MaskPlan,
  type MaskPlanOptions,
  type PlannedMasks,
  type TableRewrite,
} from "../../../model/masks/plan";
import type { MasksReport } from "../../../model/masks/report";
import { trialSql } from "../../../model/masks/statements";
import type { ConfigProblem } from "../../../model/base/config-problem";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { formatCount } from "../../../model/base/units";
import { withConnection } from "../../postgres/connect";
import { readMaskCatalogue } from "./catalogue";
import { SuspendedCode } from "./suspended-code";
import { failureText, maskFix } from "./failure";
import { dropForeignKeys, recreateForeignKeys } from "./foreign-keys";
import {
  withMaskingSessions,
  type MaskedDatabase,
  type OpenMaskingSession,
} from "./masking-session";
import { refreshMaterializedViews } from "./materialized-views";
import { deleteStatistics, unlinkLargeObjects, vacuumLargeObjects, vacuumStale } from "./remnants";
import {
  rebuildIndexes,
  runSingleStatement,
  rewriteTable,
  setLogged,
  type RewriteResult,
} from "./rewrite-table";

/** Result of checking masks: problems, or else a plan. */
export type CheckedMasks = PlannedMasks;

/** What to do in addition to masking a database as it is. */
export interface CheckOptions extends MaskPlanOptions {
  /** The facts of the database. @default read from it */
  readonly catalogue?: MaskCatalogue;
}

/**
 * Plans the masks of a database and tries each on a few rows, so that errors of an expression or a domain are reported
 * before anything is changed. Read-only.
 */
export async function checkMasks(
  database: MaskedDatabase,
  masks: Masks,
  options: CheckOptions = {},
): Promise<CheckedMasks> {
  return withMaskingSessions(database, async (open) => {
    // The key makes no difference to the trial, which runs while the code of the data may be in place.
    const client = await open(randomBytes(32).toString("hex"));
    try {
      return await checkWith(client, masks, options);
    } finally {
      await client.end();
    }
  });
}

async function checkWith(
  client: Client,
  masks: Masks,
  { catalogue, ...options }: CheckOptions,
): Promise<CheckedMasks> {
  const planned = planMasks(catalogue ?? (await readMaskCatalogue(client)), masks, options);
  const { plan } = planned;
  if (!plan) return planned;
  await client.query("SET search_path = public");
  const found: ConfigProblem[] = [];
  for (const rewrite of plan.rewrites) found.push(...(await tryMasks(client, rewrite)));
  const distinct = new Map(found.map((problem) => [JSON.stringify(problem), problem]));
  return {
    ...planned,
    problems: [...distinct.values()],
    plan: distinct.size === 0 ? plan : undefined,
  };
}

/** Options of {@link applyMasks}. */
export interface ApplyOptions {
  /**
   * Code of the data that was suspended before the rows came; it is resumed. Then no earlier versions of rows exist.
   * @default it is suspended now
   */
  readonly suspended?: SuspendedCode | undefined;
  /** Ids of tables that are unlogged, and that become ordinary ones. @default none are */
  readonly unlogged?: ReadonlySet<number>;
  /** Called with a progress line after each table. */
  readonly report?: (line: string) => void;
}

/**
 * Masks a database without other connections, by a plan of its current state. No code of the data runs before all rows are
 * masked, and none in a session with the key. No previous values remain in the database's files, but WAL and backups of it
 * contain them. Throws the first error; the caller must then drop the database, because only some tables are masked. Run
 * ANALYZE afterwards.
 */
export async function applyMasks(
  database: MaskedDatabase,
  plan: MaskPlan,
  key: string,
  options: ApplyOptions = {},
): Promise<MasksReport> {
  return withMaskingSessions(database, async (open) =>
    withConnection(database.database, async (admin) => {
      const owners = await openAll(open);
      try {
        return await applyWith(admin, owners, async () => openAll(open, key), plan, options);
      } finally {
        await endAll(owners);
      }
    }),
  );
}

/**
 * @param admin The superuser's session, for the catalogs and for large objects, which belong to the application.
 * @param owners Sessions of the owner without the key, in which the code of the data may run.
 */
async function applyWith(
  admin: Client,
  owners: Clients,
  openWithKey: () => Promise<Clients>,
  plan: MaskPlan,
  { suspended, unlogged = new Set(), report = () => undefined }: ApplyOptions,
): Promise<MasksReport> {
  const started = performance.now();
  const [owner] = owners;
  const code = suspended ?? (await SuspendedCode.suspend(admin, owner));
  let largeObjectsRemoved = 0;
  for (const { target, column } of plan.emptied)
    largeObjectsRemoved += await unlinkLargeObjects(owner, admin, target, q(column));
  const foreignKeys = await dropForeignKeys(owner, plan.foreignKeys);
  const done = await rewriteAll(admin, openWithKey, plan, unlogged, report);
  const rewritten = plan.rewrites.flatMap(({ relations }) => relations);
  for (const relation of unlogged)
    if (!rewritten.includes(relation)) await setLogged(owner, relation);
  // Samples of the values, which owners can read.
  await deleteStatistics(admin);
  await code.resume(admin, owner);
  for (const client of owners) await client.query("SET search_path = public");
  await forAll(owners, plan.rewrites, rebuildIndexes);
  await recreateForeignKeys(owner, foreignKeys);
  await refreshMaterializedViews(owner);
  if (!suspended) {
    // So that the counters of changed rows are up to date.
    for (const one of owners) await one.query("SELECT pg_stat_force_next_flush()");
    await vacuumStale(admin, rewritten);
  } else if (largeObjectsRemoved > 0) await vacuumLargeObjects(admin);
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
    const { code } = error as { code?: string };
    return code === "42501" ? `${failureText(error)}; ${maskFix(code) ?? ""}` : failureText(error);
  }
}

type Clients = readonly [Client, ...Client[]];

async function openAll(open: OpenMaskingSession, key?: string): Promise<Clients> {
  const clients: [Client, ...Client[]] = [await open(key)];
  try {
    while (clients.length < tablesAtOnce) clients.push(await open(key));
    for (const client of clients) await client.query("SET search_path = public");
    return clients;
  } catch (error) {
    await endAll(clients);
    throw error;
  }
}

async function endAll(clients: Clients): Promise<void> {
  for (const client of clients) await client.end().catch(() => undefined);
}

/** Rewrites the tables, two at a time, in sessions that have ended when it returns. */
async function rewriteAll(
  admin: Client,
  openWithKey: () => Promise<Clients>,
  { rewrites }: MaskPlan,
  unlogged: ReadonlySet<number>,
  report: (line: string) => void,
): Promise<Map<TableRewrite, RewriteResult>> {
  const done = new Map<TableRewrite, RewriteResult>();
  const clients = await openWithKey();
  try {
    await forAll(clients, rewrites, async (client, rewrite) => {
      done.set(rewrite, await rewriteTable(client, admin, rewrite, unlogged));
      const values = [...done.values()].flatMap((one) => one.values).reduce((a, b) => a + b, 0);
      report(
        `masks ${done.size} of ${rewrites.length} tables · ${formatCount(values)} values · ${rewrite.title}`,
      );
    });
  } finally {
    await endAll(clients);
  }
  return done;
}

/** Each connection takes the next table until none is left or one has failed. */
async function forAll(
  clients: Clients,
  rewrites: readonly TableRewrite[],
  work: (client: Client, rewrite: TableRewrite) => Promise<void>,
): Promise<void> {
  const waiting = [...rewrites];
  let failed = false;
  const run = async (client: Client): Promise<void> => {
    for (let rewrite = waiting.shift(); rewrite && !failed; rewrite = waiting.shift()) {
      try {
        await work(client, rewrite);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(clients.map(run));
  const reason = ended.find((one) => one.status === "rejected");
  if (reason) throw reason.reason;
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
