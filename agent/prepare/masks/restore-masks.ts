import type { Client } from "pg";
import type { ConfigProblem } from "../../../model/base/config-problem";
import type { KeyStatements } from "../../../model/dump/key-statements";
import { columnText } from "../../../model/masks/column-name";
import type { MaskCatalogue } from "../../../model/masks/catalogue";
import type { Masks } from "../../../model/masks/mask";
import { planMasks, type MaskedColumn, type MaskPlan } from "../../../model/masks/plan";
import type { MasksReport } from "../../../model/masks/report";
import { withConnection } from "../../postgres/connect";
import type { RestrictedLogin } from "../../postgres/restricted-login";
import { AgentError } from "../../system/errors";
import { logLine } from "../../system/progress";
import type { RunStep } from "../../system/step";
import { applyMasks, checkMasks } from "./apply";
import { readMaskCatalogue } from "./catalogue";
import { readCatalogueWithKeys } from "./catalogue-with-keys";
import { SuspendedCode } from "./suspended-code";
import { withMaskingSessions, type MaskedDatabase } from "./masking-session";
import { removeRemnants } from "./remnants";
import { serverMaskKey } from "./server-key";

/** What masks need to know of a restore. */
export interface MaskedRestore {
  /** The database that is restored into. */
  readonly candidate: string;
  /** The role that restores it, which owns everything in it until the restore is complete. */
  readonly login: RestrictedLogin;
  readonly masks: Masks;
  /** Whether upgrade scripts may follow, which add and remove columns. */
  readonly hasScripts: boolean;
}

/** A column of the dump, by the id of its table and its number, which a renamed column keeps. */
interface DumpedColumn {
  readonly table: number;
  readonly number: number;
  readonly name: string;
}

/**
 * Masks the rows of a dump as soon as they are restored: after its tables, before its indexes, constraints, triggers and
 * everything else that runs code of the data. See {@link SuspendedCode}.
 */
export class RestoreMasks {
  #catalogue: MaskCatalogue | undefined;
  #code: SuspendedCode | undefined;
  #unlogged: ReadonlySet<number> = new Set();
  #dumped: readonly DumpedColumn[] = [];
  #changed: readonly MaskedColumn[] = [];
  /** Masks whose column the dump does not have. */
  #missing: ReadonlySet<string> = new Set();
  #report: MasksReport | undefined;

  constructor(
    private readonly restore: MaskedRestore,
    private readonly step: RunStep,
  ) {}

  /** What has been masked; `undefined` before the dump's rows are. */
  get report(): MasksReport | undefined {
    return this.#report;
  }

  /**
   * Call it when the tables exist and are empty. Throws an {@link AgentError} for masks that do not fit, and for code that
   * cannot be suspended.
   *
   * @param keys The keys of the dump, which are created after the rows.
   */
  async beforeRows(keys: KeyStatements): Promise<void> {
    const { candidate, login, masks } = this.restore;
    const client = await login.connect(candidate);
    try {
      this.#catalogue = await readCatalogueWithKeys(client, keys);
      const { problems, plan } = planMasks(this.#catalogue, masks, this.#options);
      if (!plan) throw unfit(problems);
      await withConnection(candidate, async (admin) => {
        this.#code = await SuspendedCode.suspend(admin, client);
      });
      this.#dumped = (await client.query<DumpedColumn>(columnsSql)).rows;
      this.#unlogged = await makeUnlogged(client, plan);
    } finally {
      await client.end();
    }
  }

  /** Call it when all rows are there, and nothing that comes after them. */
  async afterRows(): Promise<void> {
    const { candidate, login, masks } = this.restore;
    const database: MaskedDatabase = { database: candidate, owner: login.name };
    this.#report = await this.step("mask", async () => {
      const catalogue = await withConnection(candidate, async (admin) => this.#withRows(admin));
      const checked = await checkMasks(database, masks, { ...this.#options, catalogue });
      if (!checked.plan) throw unfit(checked.problems);
      this.#missing = new Set(checked.missing);
      this.#changed = checked.plan.changed;
      return applyMasks(database, checked.plan, await serverMaskKey(), {
        suspended: this.#code,
        unlogged: this.#unlogged,
        report: logLine,
      });
    });
  }

  /**
   * Masks the columns that upgrade scripts have added. Those that the dump had are masked already, also under another
   * name. Throws an {@link AgentError} for masks without a column, and for columns that are not classified.
   *
   * @param applied Whether scripts have been applied.
   */
  async afterScripts(database: MaskedDatabase, applied: boolean): Promise<void> {
    if (!applied && this.#missing.size === 0) return;
    const { catalogue, present } = await withMaskingSessions(database, async (open) => {
      const client = await open();
      try {
        const { rows } = await client.query<DumpedColumn>(columnsSql);
        return { catalogue: await readMaskCatalogue(client), present: rows };
      } finally {
        await client.end();
      }
    });
    const numbers = new Map(this.#dumped.map((column) => [nameKey(column), column.number]));
    const masked = new Set(
      this.#changed.map(({ table, column }) =>
        numberKey({ table, number: numbers.get(nameKey({ table, name: column })) ?? 0 }),
      ),
    );
    const done = new Set(present.filter((one) => masked.has(numberKey(one))).map(nameKey));
    const options = { mayBeMissing: (path: string) => !this.#missing.has(path), done, catalogue };
    const first = planMasks(catalogue, this.restore.masks, options);
    const renamed = first.plan ? this.#renamed(first.plan, present) : [];
    if (!first.plan || renamed.length > 0) throw unfit([...first.problems, ...renamed]);
    if (first.plan.changed.length === 0) {
      // Rows that the scripts have changed, and columns that they have dropped.
      await withConnection(database.database, async (admin) => removeRemnants(admin, []));
      return;
    }
    await this.step("mask new columns", async () => {
      const { problems, plan } = await checkMasks(database, this.restore.masks, options);
      if (!plan) throw unfit(problems);
      const more = await applyMasks(database, plan, await serverMaskKey(), { report: logLine });
      this.#report = this.#report ? sum(this.#report, more) : more;
    });
  }

  get #options(): { readonly mayBeMissing: () => boolean } {
    return { mayBeMissing: () => this.restore.hasScripts };
  }

  /** The catalogue with the rows and sizes of now. */
  async #withRows(admin: Client): Promise<MaskCatalogue> {
    const catalogue = this.#catalogue;
    if (!catalogue) throw new Error("afterRows before beforeRows");
    const { rows } = await admin.query<{ id: number; rows: number; bytes: number }>(sizesSql);
    const sizes = new Map(rows.map((one) => [one.id, one]));
    const tables = catalogue.tables.map((table) => ({ ...table, ...sizes.get(table.id) }));
    return { ...catalogue, tables, largeObjects: await countLargeObjects(admin) };
  }

  /** Columns whose mask came too late: the dump has them under a name without a mask. */
  #renamed(plan: MaskPlan, present: readonly DumpedColumn[]): ConfigProblem[] {
    const now = new Map(present.map((column) => [nameKey(column), column.number]));
    const titles = new Map(this.#catalogue?.tables.map((table) => [table.id, table]));
    return plan.changed.flatMap(({ table, column, path }) => {
      const number = now.get(nameKey({ table, name: column }));
      const was = this.#dumped.find((one) => one.table === table && one.number === number);
      const owner = titles.get(table);
      if (!was || !owner) return [];
      const name = columnText({ ...owner, column: was.name });
      const text = `is ${name} in the dump, where no mask covers it before the scripts run; add a line for ${name} with the same mask`;
      return [{ path, text }];
    });
  }
}

function unfit(problems: readonly ConfigProblem[]): AgentError {
  const lines = problems.map(({ path, text }) => `${path}: ${text}`);
  return new AgentError(["the masks do not fit the data", ...lines].join("\n"));
}

function nameKey({ table, name }: { readonly table: number; readonly name: string }): string {
  return `${table}.${name}`;
}

function numberKey({ table, number }: { readonly table: number; readonly number: number }): string {
  return `${table} ${number}`;
}

function sum(first: MasksReport, more: MasksReport): MasksReport {
  const again = new Map(more.tables.map((table) => [table.table, table]));
  const tables = first.tables.map(({ table, rows, seconds }) => ({
    table,
    rows,
    seconds: seconds + (again.get(table)?.seconds ?? 0),
  }));
  const known = new Set(tables.map(({ table }) => table));
  return {
    columns: [...first.columns, ...more.columns],
    tables: [...tables, ...more.tables.filter(({ table }) => !known.has(table))],
    values: first.values + more.values,
    seconds: Math.round((first.seconds + more.seconds) * 1000) / 1000,
    largeObjectsRemoved: first.largeObjectsRemoved + more.largeObjectsRemoved,
    notes: [...new Set([...first.notes, ...more.notes])],
  };
}

/** Has no WAL of the rows that will be replaced. Returns the ids of the tables. */
async function makeUnlogged(client: Client, { rewrites }: MaskPlan): Promise<ReadonlySet<number>> {
  const { rows } = await client.query<{ id: number; name: string }>(
    `SELECT oid::int8::float8 AS id, oid::regclass::text AS name FROM pg_class c
     WHERE oid = ANY ($1::oid[]) AND relkind = 'r' AND relpersistence = 'p'
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND c.oid IN (k.conrelid, k.confrelid))`,
    [rewrites.flatMap(({ relations }) => relations)],
  );
  for (const { name } of rows) await client.query(`ALTER TABLE ${name} SET UNLOGGED`);
  return new Set(rows.map(({ id }) => id));
}

async function countLargeObjects(admin: Client): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM pg_largeobject_metadata",
  );
  return rows[0]?.count ?? 0;
}

const columnsSql = `
  SELECT attrelid::int8::float8 AS table, attnum::int AS number, attname AS name
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
  WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND attnum > 0 AND NOT attisdropped`;

const sizesSql = `
  SELECT oid::int8::float8 AS id, pg_stat_get_tuples_inserted(oid)::float8 AS rows, pg_total_relation_size(oid)::float8 AS bytes
  FROM pg_class WHERE relkind = 'r' AND oid >= 16384`;
