import type { Client, DatabaseError } from "pg";
import { clientEncodingOf } from "../../../model/dump/client-encoding";
import { hasRowPerLine } from "../../../model/dump/copy-statement";
import {
  databaseProperty,
  sourceProperties,
  type DatabaseProperty,
} from "../../../model/dump/database-properties";
import type { SourceProperties } from "../../../model/base/database-settings";
import { DumpMarkFinder, dumpMark, marksWithin } from "../../../model/dump/dump-marks";
import { DumpParts, type DumpContents } from "../../../model/dump/dump-parts";
import { OneDatabase } from "../../../model/dump/one-database";
import { ownedSchema, type OwnedSchema } from "../../../model/dump/schema-owner";
import { SqlReader, type SqlToken } from "../../../model/dump/sql-reader";
import { isRoleStatement } from "../../../model/dump/role-statement";
import { describeStatement, type StatementFacts } from "../../../model/dump/statement";
import type { ImportEvent, Phase } from "../../../model/import-log/event";
import { missingRole } from "../../../model/import-log/known-messages";
import type { RolesChoice } from "../../../model/restore/protocol";
import { quoteLiteral } from "../../../model/base/sql";
import { textDecoder, type DecodeText } from "../../../model/dump/text-encoding";
import { AgentError } from "../../system/errors";
import type { Progress } from "../../system/progress";
import { readMessagesBy } from "./message-encoding";
import { RawStatement, type StatementResult } from "../../postgres/raw-statement";
import type { Around } from "./around-rows";
import { OwnerChanges, type DeferredStatement } from "./owner-changes";
import { PartitionRoutes } from "./partition-routes";
import { PlainParts } from "./plain-parts";
import type { Recorder } from "./recorder";
import type { SuperuserWork } from "./superuser-work";
import { TableNames } from "./table-names";

/** Bytes of a statement that are read to describe it, unless it is one whose end matters. */
const describedBytes = 8_192;

/** Statements whose last words matter, however long the list of arguments before them is: `… OWNER TO`, `… TO role`. */
const describedWhole = /^(?:ALTER|GRANT|REVOKE|COMMENT|DROP)\b/i;

/** SQLSTATE of a large object that does not exist. */
const undefinedObject = "42704";

/** Statements for the superuser are shorter, in bytes. */
const superuserBytes = 65_536;

/** Arguments of {@link restorePlain}. */
export interface PlainRestore {
  /** The dump's name in messages. */
  readonly name: string;
  readonly contents: AsyncIterable<Buffer>;
  /** Connected to the database to fill, as the role that restores it. */
  readonly client: Client;
  readonly superuser: SuperuserWork;
  readonly recorder: Recorder;
  readonly progress: Progress;
  readonly roles: RolesChoice;
  /** The database's own roles; their objects go to its owner without a warning. */
  readonly ownRoles: ReadonlySet<string>;
  /** Creates a role without login, on another connection. */
  readonly createRole: (name: string) => Promise<void>;
  /** Client encoding that overrides the dump's. */
  readonly encoding: string | undefined;
  /** What has to be done around the rows. @default nothing */
  readonly around?: Around | undefined;
  /** Whether the rows are masked already. @default false */
  readonly isMasked?: boolean;
  /** The database to restore from the dump of a whole cluster. @default the only one in the dump */
  readonly only?: string | undefined;
  /** Called with the parameters and the like of the dump's database, if it has them. */
  readonly onProperties?: ((properties: SourceProperties) => void) | undefined;
}

/**
 * Restores a plain dump over one connection, statement by statement, and records all messages of PostgreSQL. Returns what
 * the dump consists of. Throws an {@link AgentError} for a dump that is truncated, has no tables or several databases, and
 * `StoppedAtRows` of {@link PlainParts}.
 */
export async function restorePlain(restore: PlainRestore): Promise<DumpContents> {
  return new PlainImport(restore).run();
}

/** A statement, and the number of rows in it if it is an INSERT and they can be counted. */
interface SentStatement {
  readonly facts: StatementFacts;
  readonly line: number;
  readonly sql: Buffer;
  readonly insertedRows: number | undefined;
}

interface CurrentCopy {
  readonly statement: RawStatement;
  readonly facts: StatementFacts;
  readonly line: number;
  /** False when PostgreSQL has rejected the statement, whose rows are then skipped. */
  readonly takesRows: boolean;
  /** Whether each line is a row. */
  readonly hasRowPerLine: boolean;
}

class PlainImport {
  readonly #reader = new SqlReader();
  #phase: Phase = "prelude";
  readonly #parts = new DumpParts();
  readonly #rowMarks = new DumpMarkFinder();
  readonly #database: OneDatabase;
  readonly #names: TableNames;
  /** Of the database that the dump is of. */
  readonly #properties: DatabaseProperty[] = [];
  /** Whether the dump has created anything. */
  #hasCreated = false;
  /** Whether masks may have removed large objects already, which statements of the dump still name. */
  #isMasked: boolean;
  /** The current COPY. */
  #copy: CurrentCopy | undefined;
  #current: { facts: StatementFacts; line: number } | undefined;
  #decode: DecodeText = textDecoder("UTF8");
  readonly #owners: OwnerChanges;
  readonly #part: PlainParts;
  readonly #routes: PartitionRoutes;

  constructor(private readonly restore: PlainRestore) {
    this.#isMasked = restore.isMasked ?? false;
    this.#part = new PlainParts(restore);
    this.#owners = new OwnerChanges(restore);
    this.#database = new OneDatabase(restore.only);
    this.#names = new TableNames(restore.client);
    this.#routes = new PartitionRoutes(restore.client);
    readMessagesBy(restore.client, (bytes) => this.#decode(bytes));
    restore.client.on("notice", (notice) => {
      if (notice.severity === "WARNING" && this.#current) {
        this.#message(
          "WARNING",
          notice as unknown as DatabaseError,
          this.#current.facts,
          this.#current.line,
        );
      }
    });
  }

  async run(): Promise<DumpContents> {
    const { client, encoding } = this.restore;
    // A dump that does not set its encoding has nothing to override.
    if (encoding !== undefined)
      await client.query(`SET client_encoding = ${quoteLiteral(encoding)}`);
    for await (const chunk of this.restore.contents) {
      for (const token of this.#reader.push(chunk)) await this.#take(token);
    }
    for (const token of this.#reader.finish()) await this.#take(token);
    const { name } = this.restore;
    const problem = this.#parts.problem(name);
    if (problem !== undefined) throw new AgentError(problem);
    const other = this.#database.problem;
    if (other !== undefined) throw new AgentError(`${name} ${other}; ${ownDatabaseFix}`);
    await this.#part.end();
    this.#isMasked ||= this.restore.around !== undefined;
    await this.#owners.apply(({ facts, line }, error) => {
      this.#message("ERROR", error, facts, line);
    });
    if (this.#properties.length > 0)
      this.restore.onProperties?.(sourceProperties(this.#properties));
    return this.#parts.contents;
  }

  async #take(token: SqlToken): Promise<void> {
    switch (token.type) {
      case "comment":
        this.#readComment(token.text, token.line);
        return;
      case "meta":
        await this.#runMeta(token.text, token.line);
        return;
      case "statement":
        await this.#run(token.bytes, token.line, token.insertedRows);
        return;
      case "rows":
        for (const mark of this.#rowMarks.push(token.bytes))
          this.#parts.mark(mark, this.#copy?.line ?? 0);
        if (this.#copy?.takesRows === true) await this.#copy.statement.write(token.bytes);
        return;
      case "end of rows":
        await this.#endCopy(token.rows);
        return;
      case "unfinished":
        throw new AgentError(
          `${this.restore.name} is truncated in line ${token.line}, in the middle of ${token.what === "rows" ? `the rows of ${this.#copy?.facts.name ?? "a table"}` : "a statement"}; copy or dump it again`,
        );
    }
  }

  #readComment(text: string, line: number): void {
    const mark = dumpMark(text);
    if (mark !== undefined) this.#parts.mark(mark, line);
    // Another dump may begin with DROPs, too.
    if (mark === "begin") this.#phase = "prelude";
    const [, from] = /^-- Dumped (?:from database|by pg_dump) version (\d+)/.exec(text) ?? [];
    if (from !== undefined) this.restore.recorder.log.dumpedWith(Number(from));
    const type = /^-- (?:Data for )?Name: .*?; Type: ([^;]+);/.exec(text)?.[1];
    if (type === undefined) return;
    this.#parts.entry(type, line);
    this.#phase = phaseOf(type) ?? (this.#phase === "prelude" ? "schema" : this.#phase);
  }

  /** Takes one of the psql commands that pg_dump writes; all others are rejected. */
  async #runMeta(text: string, line: number): Promise<void> {
    // Its protection against psql commands hidden in rows; this reader runs no psql commands.
    if (/^\\(?:un)?restrict\b/.test(text)) return;
    // It writes SQL_ASCII before it connects to a database with an unusual name, and sets the encoding after that.
    const encoding = /^\\encoding +(\w+)$/.exec(text.trim())?.[1];
    if (encoding !== undefined) {
      if (encoding === "SQL_ASCII") return;
      await this.#run(Buffer.from(`SET client_encoding = '${encoding}'`), line, undefined);
      return;
    }
    const at = `line ${line}: ${text.slice(0, 80)}`;
    if (/^\\c(?:onnect)?\b/.test(text)) {
      const problem = this.#database.connect(text);
      if (problem === undefined) return;
      throw new AgentError(`${this.restore.name} ${problem} (${at}); ${ownDatabaseFix}`);
    }
    throw new AgentError(
      `${this.restore.name} contains a psql command (${at}), which pg_dump does not write; dump it again`,
    );
  }

  #describe(bytes: Buffer): StatementFacts {
    const head = this.#decode(bytes.subarray(0, describedBytes));
    const isWhole = bytes.length <= describedBytes || !describedWhole.test(head);
    return describeStatement(isWhole ? head : this.#decode(bytes));
  }

  async #run(bytes: Buffer, line: number, insertedRows: number | undefined): Promise<void> {
    const described = this.#describe(bytes);
    const decision = this.#database.statement(described);
    if (decision === "leave out") {
      const property = this.#database.isElsewhere
        ? undefined
        : databaseProperty(this.#decode(bytes));
      if (property) this.#properties.push(property);
      return;
    }
    if (decision !== "run") {
      throw new AgentError(
        `${this.restore.name} ${decision.problem} (line ${line}: ${described.excerpt.slice(0, 80)}); ${ownDatabaseFix}`,
      );
    }
    const qualified = await this.#names.qualify(described);
    const { facts, sql: routed } = await this.#routes.route(qualified, bytes);
    const isData = facts.action === "insert" || facts.action === "copy";
    if (!isData && bytes.includes("-- PostgreSQL database dump"))
      for (const mark of marksWithin(this.#decode(bytes))) this.#parts.mark(mark, line);
    this.#parts.statement(facts, line);
    if (
      isData &&
      facts.name !== undefined &&
      !this.#hasCreated &&
      !(await this.#names.exists(facts))
    ) {
      throw new AgentError(
        `${this.restore.name} has no tables, only rows (the first are of ${facts.name}, line ${line}), as pg_dump --data-only writes it; dump the tables too, without --data-only`,
      );
    }
    this.#hasCreated ||= facts.action === "create" && !isLargeObject(facts);
    if (isRoleStatement(facts)) {
      this.#skipRoleStatement(facts, line);
      return;
    }
    if (this.#phase === "prelude" && !belongsToPrelude(facts)) this.#phase = "schema";
    if (facts.action === "set owner") {
      await this.#owners.defer(this.#deferred(facts, line, bytes));
      return;
    }
    if (this.#owners.sessionRole !== undefined && facts.action === "create") {
      throw new AgentError(
        `${this.restore.name} sets owners by SET SESSION AUTHORIZATION (line ${line}); dump again without --use-set-session-authorization, or leave roles out`,
      );
    }
    if (isOnLargeObjectFunction(facts)) return;
    if (
      isDefaultOfRole(facts) &&
      (await this.#owners.deferDefaults(this.#deferred(facts, line, bytes)))
    )
      return;
    const schema = this.#ownedSchema(facts, bytes);
    if (schema) {
      for (const sql of [schema.create, schema.changeOwner])
        await this.#run(Buffer.from(sql), line, undefined);
      return;
    }
    const sql = this.#encodingOverride(facts) ?? routed;
    if (facts.action === "set") this.#followEncoding(sql);
    if (!(await this.#part.admit(facts, line))) return;
    this.#current = { facts, line };
    const sent = { facts, line, sql, insertedRows };
    const ending = await this.#runAsSuperuser(facts, sql);
    if (ending) {
      await this.#end(sent, ending);
      return;
    }
    const statement = RawStatement.send(this.restore.client, sql);
    const expected = await statement.expectedRows;
    if (expected === "binary") {
      statement.rejectRows("rows in binary format");
      throw new AgentError(
        `${this.restore.name} has rows in binary format (line ${line}: ${facts.excerpt.slice(0, 80)}), which pg_dump does not write; dump it again`,
      );
    }
    const takesRows = expected === "text";
    const rejected = "error" in (takesRows ? {} : await statement.result);
    // When PostgreSQL rejects the statement, whether rows follow is derived from its text.
    this.#reader.rowsFollow = takesRows || (rejected && this.#reader.rowsFollow);
    if (this.#reader.rowsFollow) {
      const text = sql.subarray(0, describedBytes).toString("latin1");
      this.#copy = { statement, facts, line, takesRows, hasRowPerLine: hasRowPerLine(text) };
    } else await this.#end(sent, await statement.result);
  }

  async #endCopy(rows: number): Promise<void> {
    const copy = this.#copy;
    if (!copy) return;
    this.#copy = undefined;
    this.restore.progress.countRows(rows);
    copy.statement.endRows();
    const ending = await copy.statement.result;
    const { name } = copy.facts;
    if (name !== undefined) {
      const copied = "tag" in ending ? /^COPY (\d+)/.exec(ending.tag)?.[1] : undefined;
      // CSV may have a header and rows of several lines.
      const expected = copied === undefined || copy.hasRowPerLine ? rows : Number(copied);
      this.restore.recorder.log.expectRows(name, expected);
    }
    if ("error" in ending) this.#message("ERROR", ending.error, copy.facts, copy.line);
  }

  async #end(sent: SentStatement, ending: StatementResult): Promise<void> {
    const { facts, line, sql, insertedRows } = sent;
    if ("error" in ending) {
      const role = missingRole({ sqlstate: ending.error.code, message: ending.error.message });
      if (role !== undefined && this.restore.roles === "create without login") {
        await this.restore.createRole(role);
        await this.#end(sent, await RawStatement.run(this.restore.client, sql));
        return;
      }
      this.#message("ERROR", ending.error, facts, line);
    }
    const { log } = this.restore.recorder;
    if (facts.table !== undefined && isTriggerOrRule(facts)) log.runsCode(facts.table);
    if (facts.action === "insert" && facts.name !== undefined) {
      const tag = "error" in ending ? 1 : Number(/^INSERT 0 (\d+)/.exec(ending.tag)?.[1] ?? 0);
      // PostgreSQL does not count the rows that a trigger or a rule leaves out.
      log.expectRows(facts.name, insertedRows ?? tag);
    }
  }

  #message(
    severity: ImportEvent["severity"],
    error: DatabaseError,
    facts: StatementFacts,
    line: number,
  ): void {
    const { code, message, detail, hint, where } = error;
    if (code === undefinedObject && isLargeObject(facts) && this.#isMasked) return;
    const lost = code === undefined || !/^[0-9A-Z]{5}$/.test(code);
    const event: ImportEvent = {
      severity:
        lost || error.severity === "FATAL" || error.severity === "PANIC" ? "FATAL" : severity,
      sqlstate: lost ? "08006" : code,
      phase: this.#phase,
      message,
      statement: facts.excerpt,
      line,
      ...(detail === undefined ? {} : { detail }),
      ...(hint === undefined ? {} : { hint }),
      ...(where === undefined ? {} : { context: where }),
      ...(facts.object === undefined ? {} : { object: facts.object }),
    };
    this.restore.recorder.message(event, facts);
    if (event.severity === "FATAL") throw new LostConnection();
  }

  /** Runs a statement that only a superuser may; `undefined` for others. */
  async #runAsSuperuser(facts: StatementFacts, sql: Buffer): Promise<StatementResult | undefined> {
    if (!["create", "comment", "other"].includes(facts.action) || sql.length > superuserBytes)
      return undefined;
    return this.restore.superuser.run(this.#decode(sql), async () => this.#searchPath());
  }

  /** A schema with its owner in one statement, if its text is the same in UTF-8. */
  #ownedSchema({ action, object = "" }: StatementFacts, bytes: Buffer): OwnedSchema | undefined {
    if (action !== "create" || !object.startsWith("SCHEMA ")) return undefined;
    const text = this.#decode(bytes);
    return Buffer.from(text).equals(bytes) ? ownedSchema(text) : undefined;
  }

  #deferred(facts: StatementFacts, line: number, bytes: Buffer): DeferredStatement {
    const text = (): string => this.#decode(bytes);
    return { facts, line, text, searchPath: async () => this.#searchPath() };
  }

  async #searchPath(): Promise<string> {
    const { rows } = await this.restore.client.query<{ search_path: string }>("SHOW search_path");
    return rows[0]?.search_path ?? "";
  }

  /** Skips CREATE ROLE, ALTER ROLE and memberships: roles are managed by Stagecraft. The statement may contain a password and is not logged. */
  #skipRoleStatement({ name, object, roles }: StatementFacts, line: number): void {
    const names = name === undefined ? roles : [name];
    const { recorder } = this.restore;
    for (const role of names) recorder.log.role(role, "left out");
    const what = object ?? `membership of ${names.join(", ")}`;
    recorder.write(
      `skipped     line ${line}: ${what}; Stagecraft manages the roles of this server`,
    );
  }

  #encodingOverride({ excerpt }: StatementFacts): Buffer | undefined {
    const { encoding } = this.restore;
    if (encoding === undefined || clientEncodingOf(excerpt) === undefined) return undefined;
    return Buffer.from(`SET client_encoding = ${quoteLiteral(encoding)}`);
  }

  #followEncoding(sql: Buffer): void {
    const encoding = clientEncodingOf(sql.toString("latin1"));
    if (encoding !== undefined) this.#decode = textDecoder(encoding);
  }
}

function isLargeObject({ object = "" }: StatementFacts): boolean {
  return object.startsWith("LARGE OBJECT");
}

function isTriggerOrRule({ action, object = "" }: StatementFacts): boolean {
  return action === "create" && /^(?:CONSTRAINT TRIGGER|TRIGGER|RULE) /.test(object);
}

/** Whether a statement grants who may create large objects, which this server's roles decide. */
function isOnLargeObjectFunction({ action, object = "" }: StatementFacts): boolean {
  return action === "grant" && /^FUNCTION pg_catalog\.lo_/i.test(object);
}

/** Whether a statement sets the default privileges of a role. */
function isDefaultOfRole({ object, excerpt }: StatementFacts): boolean {
  return object === "DEFAULT PRIVILEGES" && /\bFOR (?:ROLE|USER)\b/i.test(excerpt);
}

/** The connection was lost; the recorder has the reason. */
export class LostConnection extends Error {
  override readonly name = "LostConnection";
}

const ownDatabaseFix = "use a dump of one database, created with pg_dump";

function belongsToPrelude({ action, excerpt }: StatementFacts): boolean {
  return (
    action === "set" ||
    action === "drop" ||
    /^CREATE OR REPLACE VIEW .* AS SELECT NULL\b/i.test(excerpt)
  );
}

/** The phase of a dump entry; `undefined` for comments and grants, which occur in every phase. */
function phaseOf(type: string): Phase | undefined {
  if (/^(?:ACL|COMMENT|DEFAULT ACL|SECURITY LABEL)$/.test(type)) return undefined;
  if (/^(?:TABLE DATA|SEQUENCE SET|BLOB|BLOBS|BLOB METADATA|LARGE OBJECTS?)$/.test(type))
    return "data";
  if (
    /^(?:INDEX|INDEX ATTACH|CONSTRAINT|FK CONSTRAINT|TRIGGER|EVENT TRIGGER|RULE|POLICY|ROW SECURITY|MATERIALIZED VIEW DATA|PUBLICATION|PUBLICATION TABLE|SUBSCRIPTION|STATISTICS)$/.test(
      type,
    )
  ) {
    return "post-data";
  }
  return "schema";
}
