import { once, type EventEmitter } from "node:events";
import type { Client, DatabaseError, Submittable } from "pg";

interface RawConnection extends EventEmitter {
  readonly stream: NodeJS.WritableStream & {
    readonly writable: boolean;
    cork(): void;
    uncork(): void;
  };
}

/** Result of a statement: PostgreSQL's command tag (`CREATE TABLE`, `COPY 12`) or its error. */
export type StatementResult = { readonly tag: string } | { readonly error: DatabaseError };

/** Whether PostgreSQL waits for rows after a statement, and in which of COPY's formats. */
export type ExpectedRows = "none" | "text" | "binary";

/**
 * A statement sent as the bytes of the dump, in any encoding, followed by the rows of a COPY.
 *
 * PostgreSQL decides whether rows follow, not the statement's text: {@link expectedRows} is its answer, and the sender
 * of a statement must then end the rows ({@link endRows}) or reject them ({@link rejectRows}): until then PostgreSQL waits.
 * Rows that PostgreSQL sends (`COPY … TO STDOUT`) are ignored. Frontend/backend protocol: PostgreSQL manual, 53.2 and 53.7.
 */
export class RawStatement implements Submittable {
  /** The result; never rejects. */
  readonly result: Promise<StatementResult>;
  /** The rows that PostgreSQL waits for; `"none"` when the statement has finished without rows. */
  readonly expectedRows: Promise<ExpectedRows>;
  #end!: (ending: StatementResult) => void;
  #answer!: (expected: ExpectedRows) => void;
  #isAnswered = false;
  #isBinary = false;
  #ended = false;
  #tag = "";
  #connection: RawConnection | undefined;

  constructor(private readonly sql: Buffer) {
    this.result = new Promise((resolve) => (this.#end = resolve));
    this.expectedRows = new Promise((resolve) => (this.#answer = resolve));
  }

  /** Sends a statement on a connection. */
  static send(client: Client, sql: Buffer): RawStatement {
    return client.query(new RawStatement(sql));
  }

  /** Sends a statement that may not be followed by rows, and waits for its result; a COPY from the client fails. */
  static async run(client: Client, sql: Buffer): Promise<StatementResult> {
    const statement = RawStatement.send(client, sql);
    if ((await statement.expectedRows) !== "none") statement.rejectRows("there are no rows for it");
    return statement.result;
  }

  /** Sends rows in COPY's text format; does nothing once PostgreSQL has rejected the statement. */
  async write(rows: Buffer): Promise<void> {
    if (this.#ended || !this.#connection) return;
    const { stream } = this.#connection;
    stream.cork();
    stream.write(header("d", rows.length));
    const more = stream.write(rows);
    stream.uncork();
    if (!more) await Promise.race([once(stream, "drain"), this.result]);
  }

  /** Marks the end of the rows (CopyDone). */
  endRows(): void {
    if (!this.#ended) this.#connection?.stream.write(header("c", 0));
  }

  /** Rejects the rows that PostgreSQL waits for (CopyFail), which fails the statement with the reason. */
  rejectRows(reason: string): void {
    if (this.#ended) return;
    const text = Buffer.from(`${reason}\0`);
    this.#connection?.stream.write(Buffer.concat([header("f", text.length), text]));
  }

  submit(connection: unknown): void {
    this.#connection = connection as RawConnection;
    const { stream } = this.#connection;
    this.#connection.prependListener("copyInResponse", this.#readFormat);
    stream.write(Buffer.concat([header("Q", this.sql.length + 1), this.sql, Buffer.of(0)]));
  }

  handleCopyInResponse(): void {
    // Statements that were sent as one, which only a text that is read differently here and there can contain.
    if (this.#isAnswered) {
      this.rejectRows("only the first COPY of a statement can have rows");
      return;
    }
    this.#isAnswered = true;
    this.#answer(this.#isBinary ? "binary" : "text");
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.#tag = text;
  }

  handleReadyForQuery(): void {
    this.#finish({ tag: this.#tag });
  }

  handleError(error: DatabaseError): void {
    this.#finish({ error });
  }

  // Messages that a dump's statements may cause and that are ignored.
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleParseComplete(): void {}
  handleCopyData(): void {}

  /** `pg` calls {@link handleCopyInResponse} without the message, which has the format. */
  readonly #readFormat = ({ binary }: { readonly binary: boolean }): void => {
    this.#isBinary = binary;
  };

  #finish(ending: StatementResult): void {
    this.#connection?.off("copyInResponse", this.#readFormat);
    this.#ended = true;
    this.#end(ending);
    this.#answer("none");
  }
}

function header(type: string, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write(type, 0, "latin1");
  bytes.writeInt32BE(length + 4, 1);
  return bytes;
}
