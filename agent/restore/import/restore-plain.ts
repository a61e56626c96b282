import type { Client, DatabaseError } from "pg";
import { hasRowPerLine } from "../../../model/dump/copy-statement";
import { SqlReader, type SqlToken } from "../../../model/dump/sql-reader";
import { isRoleStatement } from "../../../model/dump/role-statement";
import { describeStatement, type StatementFacts } from "../../../model/dump/statement";
import { truncatedProblem } from "../../../model/dump/format";
import type { ImportEvent, Phase } from "../../../model/import-log/event";
import { missingRole } from "../../../model/import-log/known-messages";
import type { RolesChoice } from "../../../model/restore/protocol";
import { quoteLiteral, unquoteIdentifier } from "../../../model/base/sql";
import { textDecoder, type DecodeText } from "../../../model/dump/text-encoding";
import { AgentError } from "../../system/errors";
import type { Progress } from "../../system/progress";
import { readMessagesBy } from "./message-encoding";
import { RawStatement, type StatementResult } from "../../postgres/raw-statement";
import type { Around } from "./around-rows";
import { OwnerChanges, type DeferredStatement } from "./owner-changes";
import { PlainParts } from "./plain-parts";
import type { Recorder } from "./recorder";
import type { SuperuserWork } from "./superuser-work";

/** Bytes of a statement that are read to describe it. */
const describedBytes = 8_192;

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
}

/**
 * Restores a plain dump over one connection, statement by statement, and records all messages of PostgreSQL.
 * Throws an {@link AgentError} for a dump that is truncated, or creates or connects to databases, and `StoppedAtRows` of {@link PlainParts}.
 */
export async function restorePlain(restore: PlainRestore): Promise<void> {
  await new PlainImport(restore).run();
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
  #complete = false;
  /** Schema of unqualified names, which dumps of PostgreSQL 10.2 and older have. */
  #schema: string | undefined;
  /** The current COPY. */
  #copy: CurrentCopy | undefined;
  #current: { facts: StatementFacts; line: number } | undefined;
  #decode: DecodeText = textDecoder("UTF8");
  readonly #owners: OwnerChanges;
  readonly #part: PlainParts;

  constructor(private readonly restore: PlainRestore) {
    this.#part = new PlainParts(restore);
    this.#owners = new OwnerChanges(restore);
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

  async run(): Promise<void> {
    const { client, encoding } = this.restore;
    // A dump that does not set its encoding has nothing to override.
    if (encoding !== undefined)
      await client.query(`SET client_encoding = ${quoteLiteral(encoding)}`);
    for await (const chunk of this.restore.contents) {
      for (const token of this.#reader.push(chunk)) await this.#take(token);
    }
    for (const token of this.#reader.finish()) await this.#take(token);
    if (this.#complete) await this.#part.end();
    await this.#owners.apply(({ facts, line }, error) => {
      this.#message("ERROR", error, facts, line);
    });
    if (!this.#complete) throw new AgentError(truncatedProblem(this.restore.name));
  }

  async #take(token: SqlToken): Promise<void> {
    switch (token.type) {
      case "comment":
        this.#readComment(token.text);
        return;
      case "meta":
        this.#rejectMeta(token.text, token.line);
        return;
      case "statement":
        await this.#run(token.bytes, token.line);
        return;
      case "rows":
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

  #readComment(text: string): void {
    if (text === "-- PostgreSQL database dump complete") this.#complete = true;
    const type = /^-- (?:Data for )?Name: .*?; Type: ([^;]+);/.exec(text)?.[1];
    if (type !== undefined)
      this.#phase = phaseOf(type) ?? (this.#phase === "prelude" ? "schema" : this.#phase);
  }

  #rejectMeta(text: string, line: number): void {
    // pg_dump's protection against psql commands hidden in rows; this reader runs no psql commands.
    if (/^\\(?:un)?restrict\b/.test(text)) return;
    throw new AgentError(
      /^\\c(?:onnect)?\b/.test(text)
        ? `${this.restore.name} connects to a database (line ${line}: ${text.slice(0, 80)}); ${ownDatabaseFix}`
        : `${this.restore.name} contains a psql command (line ${line}: ${text.slice(0, 80)}), which pg_dump does not write; dump it again`,
    );
  }

  async #run(bytes: Buffer, line: number): Promise<void> {
    const facts = this.#qualify(describeStatement(this.#decode(bytes.subarray(0, describedBytes))));
    if (facts.action === "change database") {
      throw new AgentError(
        `${this.restore.name} creates or alters databases (line ${line}: ${facts.excerpt.slice(0, 80)}); ${ownDatabaseFix}`,
      );
    }
    if (isRoleStatement(facts)) {
      this.#skipRoleStatement(facts, line);
      return;
    }
    if (this.#phase === "prelude" && !belongsToPrelude(facts)) this.#phase = "schema";
    // pg_dump 10 and older write COMMENT ON DATABASE even without -C; it may name the live database.
    if (facts.action === "comment" && facts.object?.startsWith("DATABASE ") === true) return;
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
    if (facts.action === "set") this.#followSearchPath(facts.excerpt);
    const sql = this.#encodingOverride(facts) ?? bytes;
    if (facts.action === "set") this.#followEncoding(sql);
    if (!(await this.#part.admit(facts, line))) return;
    this.#current = { facts, line };
    const ending = await this.#runAsSuperuser(facts, sql);
    if (ending) {
      await this.#end(facts, line, sql, ending);
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
    } else await this.#end(facts, line, sql, await statement.result);
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

  async #end(
    facts: StatementFacts,
    line: number,
    sql: Buffer,
    ending: StatementResult,
  ): Promise<void> {
    if ("error" in ending) {
      const role = missingRole({ sqlstate: ending.error.code, message: ending.error.message });
      if (role !== undefined && this.restore.roles === "create without login") {
        await this.restore.createRole(role);
        const retried = await RawStatement.run(this.restore.client, sql);
        await this.#end(facts, line, sql, retried);
        return;
      }
      this.#message("ERROR", ending.error, facts, line);
    }
    if (facts.action === "insert" && facts.name !== undefined) {
      const inserted = "error" in ending ? 1 : Number(/^INSERT 0 (\d+)/.exec(ending.tag)?.[1] ?? 0);
      this.restore.recorder.log.expectRows(facts.name, inserted);
    }
  }

  #message(
    severity: ImportEvent["severity"],
    error: DatabaseError,
    facts: StatementFacts,
    line: number,
  ): void {
    const { code, message, detail, hint, where } = error;
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
    if (encoding === undefined || !/^SET client_encoding\b/i.test(excerpt)) return undefined;
    return Buffer.from(`SET client_encoding = ${quoteLiteral(encoding)}`);
  }

  #followEncoding(sql: Buffer): void {
    const encoding = /^SET client_encoding = '([^']+)'/.exec(sql.toString("latin1"))?.[1];
    if (encoding !== undefined) this.#decode = textDecoder(encoding);
  }

  #followSearchPath(excerpt: string): void {
    const path = /^SET search_path = ("(?:[^"]|"")+"|[^,\s]+)/.exec(excerpt)?.[1];
    if (path !== undefined) this.#schema = unquoteIdentifier(path);
  }

  #qualify(facts: StatementFacts): StatementFacts {
    const schema = this.#schema;
    if (schema === undefined) return facts;
    const full = (name: string | undefined): string | undefined =>
      name === undefined || name.includes(".") ? name : `${schema}.${name}`;
    const { name, table, action } = facts;
    if (action === "copy" || action === "insert") {
      const whole = full(name);
      return whole === undefined ? facts : { ...facts, name: whole, table: whole };
    }
    const whole = full(table);
    return whole === undefined ? facts : { ...facts, table: whole };
  }
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

const ownDatabaseFix = "use a dump of one database, created by pg_dump without -C";

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
