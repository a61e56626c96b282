import { once } from "node:events";
import type { Client, DatabaseError, Submittable } from "pg";

interface RawConnection {
  readonly stream: NodeJS.WritableStream & {
    readonly writable: boolean;
    cork(): void;
    uncork(): void;
  };
}

/** Result of a statement: PostgreSQL's command tag (`CREATE TABLE`, `COPY 12`) or its error. */
export type StatementResult = { readonly tag: string } | { readonly error: DatabaseError };

/**
 * A statement sent as the bytes of the dump, in any encoding, followed by the rows of a COPY.
 * Frontend/backend protocol: PostgreSQL manual, 53.2 and 53.7.
 */
export class RawStatement implements Submittable {
  /** The result; never rejects. */
  readonly result: Promise<StatementResult>;
  /** True when PostgreSQL waits for rows, false when the statement has finished without rows. */
  readonly expectsRows: Promise<boolean>;
  #end!: (ending: StatementResult) => void;
  #answer!: (expectsRows: boolean) => void;
  #ended = false;
  #tag = "";
  #connection: RawConnection | undefined;

  constructor(private readonly sql: Buffer) {
    this.result = new Promise((resolve) => (this.#end = resolve));
    this.expectsRows = new Promise((resolve) => (this.#answer = resolve));
  }

  /** Sends a statement on a connection. */
  static send(client: Client, sql: Buffer): RawStatement {
    return client.query(new RawStatement(sql));
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

  submit(connection: unknown): void {
    this.#connection = connection as RawConnection;
    const { stream } = this.#connection;
    stream.write(Buffer.concat([header("Q", this.sql.length + 1), this.sql, Buffer.of(0)]));
  }

  handleCopyInResponse(): void {
    this.#answer(true);
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

  #finish(ending: StatementResult): void {
    this.#ended = true;
    this.#end(ending);
    this.#answer(false);
  }
}

function header(type: string, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write(type, 0, "latin1");
  bytes.writeInt32BE(length + 4, 1);
  return bytes;
}
