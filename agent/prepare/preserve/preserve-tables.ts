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
import { plural } from "../../../model/base/units";
import { withConnection } from "../../postgres/connect";
import { withRestrictedLogin, type RestrictedLogin } from "../../postgres/restricted-login";
import { logLine } from "../../system/progress";
import { fileTimestamp } from "../../system/restore-reports";
import { SkippedRowsLog, type SkippedRow } from "./skipped-rows-log";
import { createTables } from "./create-tables";
import { RowInserter, type RejectedRow } from "./row-inserter";
import { disableTriggers } from "./disable-triggers";
import { advanceSequences } from "./advance-sequences";
import { StagedRows } from "./staged-rows";
import { findTable, targetColumns, type LiveTable } from "./tables";
import { carryLargeObjects, type CarriedObjects } from "./large-objects";
import { isReadWhole, openLiveReader } from "./live-reader";

/** A request to preserve tables in a refresh. */
export interface PreserveRequest {
  /** The live database, e.g. `timesheets`; it is only read. */
  readonly live: string;
  /** The candidate database, e.g. `timesheets__incoming`, without other connections. */
  readonly candidate: string;
  /** The role that owns the tables. */
  readonly owner: string;
  readonly rules: readonly PreserveRule[];
  /** Start time of the refresh, part of the log's name. @default now */
  readonly startedAt?: string;
}

/** Values are copied as text, so both databases must write and read them in the same format. */
const textSettings = {
  datestyle: "ISO",
  intervalstyle: "postgres",
  extra_float_digits: "3",
  timezone: "UTC",
  bytea_output: "hex",
  client_encoding: "UTF8",
  lock_timeout: "10s",
  // An error instead of missing rows.
  row_security: "off",
};

/**
 * Copies tables, or some of their rows, from the live database to the candidate database. Rows that do not fit there are
 * skipped: they are written to a log of the agent and counted in the report. Triggers and rules do not fire. Throws an
 * `AgentError` for an invalid condition or a relation that is not a table.
 */
export async function preserveTables(request: PreserveRequest): Promise<PreserveReport> {
  const options = { role: request.owner, settings: { event_triggers: "off" } };
  return withRestrictedLogin(options, async (login) => preserveWith(login, request));
}

async function preserveWith(
  login: RestrictedLogin,
  request: PreserveRequest,
): Promise<PreserveReport> {
  const started = performance.now();
  const { live, candidate, rules } = request;
  const { startedAt = new Date().toISOString() } = request;
  const source = await login.connect(live, textSettings);
  const log = new SkippedRowsLog(`${fileTimestamp(startedAt)}-keep.jsonl`);
  let reader: Client | undefined;
  try {
    // One snapshot of all tables.
    await source.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    const found = await Promise.all(
      rules.map(async (rule) => ({ rule, table: await findTable(source, rule) })),
    );
    const tables = found.flatMap(({ table }) => table ?? []);
    if (tables.some(needsReader)) reader = await openLiveReader(live, source, textSettings, tables);
    const target = await login.connect(candidate, textSettings);
    try {
      const missing: LiveTable[] = [];
      for (const table of tables) if (!(await targetColumns(target, table))) missing.push(table);
      const created = await createTables(live, candidate, login, missing);
      const preserved = await new TablePreserver(
        { source, reader: reader ?? source, target },
        request,
        log,
        created,
      ).run(tables);
      const absent = found.flatMap(({ rule, table }) => (table ? [] : [absentTable(rule.table)]));
      const name = await log.finish();
      const report = {
        tables: [...preserved, ...absent],
        ...(name === undefined ? {} : { log: name }),
      };
      const seconds = Math.round(performance.now() - started) / 1000;
      return { ...report, seconds, text: preserveReportText(report) };
    } finally {
      await target.end().catch(() => undefined);
    }
  } finally {
    await log.abandon();
    await reader?.end().catch(() => undefined);
    await source.end().catch(() => undefined);
  }
}

/** The copy of one table. */
interface Transfer {
  readonly table: LiveTable;
  readonly staged: StagedRows;
  /** Missing when the candidate database has no such table and it could not be created. */
  readonly inserter?: RowInserter;
  rejected: readonly RejectedRow[];
  /** Lines that the candidate database has already. */
  identical: readonly number[];
  readonly objects: CarriedObjects;
}

/** Sessions that preserve tables. */
interface PreserveSessions {
  /** The owner's, in the live database. */
  readonly source: Client;
  /** The superuser's, in the live database, if some table needs it. */
  readonly reader: Client;
  /** The owner's, in the candidate database. */
  readonly target: Client;
}

interface Reference {
  readonly fromSchema: string;
  readonly fromName: string;
  readonly toSchema: string;
  readonly toName: string;
}

class TablePreserver {
  private readonly source: Client;
  private readonly target: Client;

  constructor(
    private readonly sessions: PreserveSessions,
    private readonly request: PreserveRequest,
    private readonly log: SkippedRowsLog,
    /** Tables that were created in the candidate database, with notes. */
    private readonly created: ReadonlyMap<LiveTable, readonly string[]>,
  ) {
    ({ source: this.source, target: this.target } = sessions);
  }

  async run(tables: readonly LiveTable[]): Promise<PreservedTable[]> {
    const transfers: Transfer[] = [];
    for (const [i, table] of (await this.#inOrder(tables)).entries()) {
      logLine(`preserve ${table.rule.table} …`);
      transfers.push(await this.#stage(table, i));
    }
    await this.target.query("BEGIN");
    // Including deferred constraints, so that each insert shows whether its rows fit.
    await this.target.query("SET CONSTRAINTS ALL IMMEDIATE");
    const enable: string[] = [];
    const targets = new Set(
      transfers.flatMap(({ inserter, table }) => (inserter ? [table.sql] : [])),
    );
    for (const sql of targets) enable.push(...(await disableTriggers(this.target, sql)));
    for (const transfer of transfers) await this.#insert(transfer);
    await this.#retry(transfers);
    for (const { table, inserter } of transfers)
      if (inserter)
        await advanceSequences(
          this.target,
          table.sql,
          this.created.has(table) ? this.source : undefined,
        );
    for (const statement of enable) await this.target.query(statement);
    await this.target.query("COMMIT");
    const preserved: PreservedTable[] = [];
    for (const transfer of transfers) preserved.push(await this.#report(transfer));
    return preserved;
  }

  /** Sorts the tables so that referenced tables come first. */
  async #inOrder(tables: readonly LiveTable[]): Promise<LiveTable[]> {
    const names = tables.map(({ sql }) => sql);
    const existing: string[] = [];
    for (const table of tables)
      if (await targetColumns(this.target, table)) existing.push(table.sql);
    const { rows } = await this.target.query<Reference>(
      `SELECT n.nspname AS "fromSchema", c.relname AS "fromName", tn.nspname AS "toSchema", t.relname AS "toName"
       FROM pg_constraint f
       JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_class t ON t.oid = f.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
       WHERE f.contype = 'f' AND f.conrelid = ANY($1::text[]::regclass[]) AND f.confrelid <> f.conrelid`,
      [existing],
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
    const from = isReadWhole(table) ? this.sessions.reader : this.source;
    const staged = await StagedRows.copy(from, this.target, table, number);
    const ids = await staged.objectIds();
    const { candidate, owner } = this.request;
    const objects =
      ids.length === 0
        ? noObjects
        : await withConnection(candidate, async (superuser) =>
            carryLargeObjects(this.sessions.reader, superuser, ids, owner),
          );
    const columns = await targetColumns(this.target, table);
    const inserter = columns && new RowInserter(this.target, table.sql, columns, staged);
    return { table, staged, objects, ...(inserter && { inserter }), rejected: [], identical: [] };
  }

  async #insert(transfer: Transfer): Promise<void> {
    const { inserter, staged, table, objects } = transfer;
    if (!inserter) return;
    // Without a unique key, only a comparison of the rows shows which of them exist already.
    const isNew = this.created.has(table);
    if (!isNew && (objects.renamed.size > 0 || !(await this.#hasKey(table))))
      transfer.identical = (await inserter.linesPresent()) ?? [];
    const present = new Set(transfer.identical);
    if (objects.renamed.size > 0)
      await staged.renameObjects(
        objects.renamed,
        staged.lines.filter((line) => !present.has(line)),
      );
    const remaining =
      present.size === 0 ? undefined : staged.lines.filter((line) => !present.has(line));
    transfer.rejected = await inserter.insert(remaining);
    const conflicts = transfer.rejected.filter(({ sqlstate }) => sqlstate === "23505");
    if (conflicts.length === 0) return;
    const identical = (await inserter.linesPresent(conflicts.map(({ line }) => line))) ?? [];
    transfer.identical = [...transfer.identical, ...identical];
    transfer.rejected = transfer.rejected.filter(({ line }) => !identical.includes(line));
  }

  /** Inserts rows with foreign key violations again, while any succeed: the referenced rows may have been inserted later. */
  async #retry(transfers: readonly Transfer[]): Promise<void> {
    for (let isDone = false; !isDone;) {
      isDone = true;
      for (const transfer of transfers) {
        const violations = transfer.rejected.filter(({ sqlstate }) => sqlstate === "23503");
        if (!transfer.inserter || violations.length === 0) continue;
        const remaining = await transfer.inserter.insert(violations.map(({ line }) => line));
        if (remaining.length === violations.length) continue;
        isDone = false;
        const others = transfer.rejected.filter(({ sqlstate }) => sqlstate !== "23503");
        transfer.rejected = [...others, ...remaining];
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

  /** Logs the skipped rows and counts them. */
  async #report({
    table,
    staged,
    inserter,
    rejected,
    identical,
    objects,
  }: Transfer): Promise<PreservedTable> {
    const name = table.rule.table;
    const skipped = new Map<SkipReason, { rows: number; example: string }>();
    const skip = async (reason: SkipReason, message: string, row: SkippedRow["row"]) => {
      await this.log.add({ table: name, reason, message, row });
      skipped.set(reason, { example: message, rows: (skipped.get(reason)?.rows ?? 0) + 1 });
    };
    const all: readonly RejectedRow[] = inserter
      ? rejected
      : staged.lines.map((line) => ({
          line,
          sqlstate: "42P01",
          message: `there is no table ${name}`,
        }));
    const byLine = new Map(all.map((row) => [row.line, row]));
    for await (const { line, values } of staged.rows([...byLine.keys()])) {
      const { sqlstate = "", message = "" } = byLine.get(line) ?? {};
      await skip(skipReasonOf(sqlstate), message, values);
    }
    const removed = inserter
      ? staged.columnsExcept([...inserter.columns, ...inserter.computed])
      : [];
    const shortened = (await staged.linesWith(removed)).filter((line) => !byLine.has(line));
    for await (const { values } of staged.rows(shortened)) {
      const message = `carried over without ${removed.join(", ")}`;
      await this.log.add({ table: name, reason: "missing column", message, row: values });
    }
    return {
      table: name,
      state: this.created.has(table) && inserter ? "created" : "carried over",
      rows: staged.count,
      carried: staged.count - all.length - identical.length,
      same: identical.length,
      aside: [...skipped].map(([reason, { rows, example }]) => ({ reason, rows, example })),
      shortened: shortened.length,
      notes: [
        ...(this.created.get(table) ?? []),
        ...(objects.copied === 0
          ? []
          : [`with ${plural(objects.copied, "large object")} of its rows`]),
      ],
    };
  }
}

function needsReader(table: LiveTable): boolean {
  return isReadWhole(table) || table.columns.some(({ isObjectId }) => isObjectId);
}

const noObjects: CarriedObjects = { copied: 0, renamed: new Map() };

function absentTable(table: string): PreservedTable {
  const none = { rows: 0, carried: 0, same: 0, shortened: 0 };
  return { table, state: "absent", ...none, aside: [], notes: [] };
}
