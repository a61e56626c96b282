import type { Client } from "pg";
import { orderByReferences } from "../../../model/preserve/reference-order";
import type {
  SkipReason,
  PreserveReport,
  PreserveRule,
  PreservedTable,
} from "../../../model/preserve/protocol";
import { skipReasonOf } from "../../../model/preserve/skip-reason";
import { preserveReportText } from "../../../model/preserve/report-text";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { connect } from "../../postgres/connect";
import { logLine } from "../../system/progress";
import { fileTimestamp } from "../../system/restore-reports";
import { SkippedRowsLog, type SkippedRow } from "./skipped-rows-log";
import { createTables } from "./create-tables";
import { RowInserter, type RejectedRow } from "./row-inserter";
import { disableTriggers } from "./disable-triggers";
import { advanceSequences } from "./advance-sequences";
import { StagedRows } from "./staged-rows";
import { findTable, targetColumns, type LiveTable } from "./tables";

/** The two databases, and who owns what is carried over. */
export interface PreserveRequest {
  /** The database that is replaced, e.g. `timesheets`; it is only read. */
  readonly live: string;
  /** The one that takes its place, e.g. `timesheets__incoming`. Nobody else is connected to it. */
  readonly incoming: string;
  /** The role that owns the tables. */
  readonly owner: string;
  readonly keep: readonly PreserveRule[];
  /** When the refresh began, by which its logs are named. @default now */
  readonly startedAt?: string;
}

/** Values come and go as text, so both sides must write and read it the same way. */
const textSettings = {
  datestyle: "ISO",
  intervalstyle: "postgres",
  extra_float_digits: "3",
  timezone: "UTC",
  bytea_output: "hex",
  client_encoding: "UTF8",
  lock_timeout: "10s",
};

/**
 * Carries tables, or rows of them, over from the live database into the one that takes its place. Rows that do not fit
 * there are put aside in a log of the agent and told in the report; triggers and rules do not see any of it. Throws an
 * `AgentError` for a condition or a kind of table that cannot be.
 */
export async function preserveTables(request: PreserveRequest): Promise<PreserveReport> {
  const started = performance.now();
  const { live, incoming, owner, keep } = request;
  const { startedAt = new Date().toISOString() } = request;
  const source = await connect(live, { role: owner, ...textSettings });
  const log = new SkippedRowsLog(`${fileTimestamp(startedAt)}-keep.jsonl`);
  try {
    // All tables as they are at one moment.
    await source.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    const found = await Promise.all(
      keep.map(async (one) => [one, await findTable(source, one)] as const),
    );
    const tables = found.flatMap(([, table]) => table ?? []);
    const target = await connect(incoming, { role: owner, event_triggers: "off", ...textSettings });
    try {
      const missing: LiveTable[] = [];
      for (const table of tables) if (!(await targetColumns(target, table))) missing.push(table);
      const made = await createTables(live, incoming, owner, missing);
      const kept = await new TablePreserver(source, target, log, made).carry(tables);
      const absent = found.flatMap(([{ table }, there]) => (there ? [] : [absentTable(table)]));
      const name = await log.finish();
      const report = { tables: [...kept, ...absent], ...(name === undefined ? {} : { log: name }) };
      const seconds = Math.round(performance.now() - started) / 1000;
      return { ...report, seconds, text: preserveReportText(report) };
    } finally {
      await target.end().catch(() => undefined);
    }
  } finally {
    await log.abandon();
    await source.end().catch(() => undefined);
  }
}

/** One table on its way. */
interface Transfer {
  readonly table: LiveTable;
  readonly staged: StagedRows;
  /** Absent when the other database has no such table, and none could be made. */
  readonly fit?: RowInserter;
  misfits: readonly RejectedRow[];
  same: readonly number[];
}

interface Reference {
  readonly fromSchema: string;
  readonly fromName: string;
  readonly toSchema: string;
  readonly toName: string;
}

class TablePreserver {
  constructor(
    private readonly source: Client,
    private readonly target: Client,
    private readonly log: SkippedRowsLog,
    private readonly made: ReadonlyMap<LiveTable, readonly string[]>,
  ) {}

  async carry(tables: readonly LiveTable[]): Promise<PreservedTable[]> {
    const passages: Transfer[] = [];
    for (const [i, table] of (await this.#inOrder(tables)).entries()) {
      logLine(`keep ${table.keep.table} …`);
      passages.push(await this.#stage(table, i));
    }
    await this.target.query("BEGIN");
    // Deferred ones too, so that each row is known to fit when it is in.
    await this.target.query("SET CONSTRAINTS ALL IMMEDIATE");
    const resume: string[] = [];
    const there = [...new Set(passages.flatMap(({ fit, table }) => (fit ? [table.sql] : [])))];
    for (const sql of there) resume.push(...(await disableTriggers(this.target, sql)));
    for (const passage of passages) await this.#insert(passage);
    await this.#insertAgain(passages);
    for (const { table, fit } of passages)
      if (fit)
        await advanceSequences(
          this.target,
          table.sql,
          this.made.has(table) ? this.source : undefined,
        );
    for (const statement of resume) await this.target.query(statement);
    await this.target.query("COMMIT");
    const kept: PreservedTable[] = [];
    for (const passage of passages) kept.push(await this.#tell(passage));
    return kept;
  }

  /** Those that others refer to come first. */
  async #inOrder(tables: readonly LiveTable[]): Promise<LiveTable[]> {
    const names = tables.map(({ sql }) => sql);
    const there: string[] = [];
    for (const table of tables) if (await targetColumns(this.target, table)) there.push(table.sql);
    const { rows } = await this.target.query<Reference>(
      `SELECT n.nspname AS "fromSchema", c.relname AS "fromName", tn.nspname AS "toSchema", t.relname AS "toName"
       FROM pg_constraint f
       JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_class t ON t.oid = f.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
       WHERE f.contype = 'f' AND f.conrelid = ANY($1::text[]::regclass[]) AND f.confrelid <> f.conrelid`,
      [there],
    );
    const order = orderByReferences(
      names,
      rows.map((row) => ({
        from: `${q(row.fromSchema)}.${q(row.fromName)}`,
        to: `${q(row.toSchema)}.${q(row.toName)}`,
      })),
    );
    return [...tables].sort((a, b) => order.indexOf(a.sql) - order.indexOf(b.sql));
  }

  async #stage(table: LiveTable, number: number): Promise<Transfer> {
    const staged = await StagedRows.copy(this.source, this.target, table, number);
    const columns = await targetColumns(this.target, table);
    const fit = columns && new RowInserter(this.target, table.sql, columns, staged);
    return { table, staged, ...(fit && { fit }), misfits: [], same: [] };
  }

  async #insert(passage: Transfer): Promise<void> {
    const { fit, staged, table } = passage;
    if (!fit) return;
    // Nothing but the rows themselves tells whether a table without keys has them.
    const isNew = this.made.has(table);
    if (!isNew && !(await this.#hasKey(table))) passage.same = (await fit.linesPresent()) ?? [];
    const there = new Set(passage.same);
    const left = there.size === 0 ? undefined : staged.lines.filter((line) => !there.has(line));
    passage.misfits = await fit.insert(left);
    const conflicts = passage.misfits.filter(({ sqlstate }) => sqlstate === "23505");
    if (conflicts.length === 0) return;
    const same = (await fit.linesPresent(conflicts.map(({ line }) => line))) ?? [];
    passage.same = [...passage.same, ...same];
    passage.misfits = passage.misfits.filter(({ line }) => !same.includes(line));
  }

  /** Rows may have waited for others: of their own table, or of one that comes later. */
  async #insertAgain(passages: readonly Transfer[]): Promise<void> {
    for (let isOver = false; !isOver;) {
      isOver = true;
      for (const passage of passages) {
        const waiting = passage.misfits.filter(({ sqlstate }) => sqlstate === "23503");
        if (!passage.fit || waiting.length === 0) continue;
        const left = await passage.fit.insert(waiting.map(({ line }) => line));
        if (left.length === waiting.length) continue;
        isOver = false;
        const others = passage.misfits.filter(({ sqlstate }) => sqlstate !== "23503");
        passage.misfits = [...others, ...left];
      }
    }
  }

  async #hasKey({ sql }: LiveTable): Promise<boolean> {
    const { rowCount } = await this.target.query(
      "SELECT FROM pg_index WHERE indrelid = $1::regclass AND indisunique LIMIT 1",
      [sql],
    );
    return rowCount !== 0;
  }

  /** Writes down what was put aside, and counts. */
  async #tell({ table, staged, fit, misfits, same }: Transfer): Promise<PreservedTable> {
    const name = table.keep.table;
    const aside = new Map<SkipReason, { rows: number; example: string }>();
    const put = async (reason: SkipReason, message: string, row: SkippedRow["row"]) => {
      await this.log.add({ table: name, reason, message, row });
      aside.set(reason, { example: message, rows: (aside.get(reason)?.rows ?? 0) + 1 });
    };
    const all: readonly RejectedRow[] = fit
      ? misfits
      : staged.lines.map((line) => ({
          line,
          sqlstate: "42P01",
          message: `there is no table ${name}`,
        }));
    const byLine = new Map(all.map((misfit) => [misfit.line, misfit]));
    for await (const { line, values } of staged.rows([...byLine.keys()])) {
      const { sqlstate = "", message = "" } = byLine.get(line) ?? {};
      await put(skipReasonOf(sqlstate), message, values);
    }
    const gone = fit ? staged.columnsExcept([...fit.columns, ...fit.computed]) : [];
    const shortened = (await staged.linesWith(gone)).filter((line) => !byLine.has(line));
    for await (const { values } of staged.rows(shortened)) {
      const message = `carried over without ${gone.join(", ")}`;
      await this.log.add({ table: name, reason: "missing column", message, row: values });
    }
    return {
      table: name,
      state: this.made.has(table) && fit ? "created" : "carried over",
      rows: staged.count,
      carried: staged.count - all.length - same.length,
      same: same.length,
      aside: [...aside].map(([reason, told]) => ({ reason, ...told })),
      shortened: shortened.length,
      notes: [...(this.made.get(table) ?? [])],
    };
  }
}

function absentTable(table: string): PreservedTable {
  const none = { rows: 0, carried: 0, same: 0, shortened: 0 };
  return { table, state: "absent", ...none, aside: [], notes: [] };
}
