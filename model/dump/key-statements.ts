import { clientEncodingOf } from "./client-encoding";
import { SqlReader, type SqlToken } from "./sql-reader";
import { textDecoder, type DecodeText } from "./text-encoding";

/** The statements of a dump that create its keys: primary keys, unique and exclusion constraints, unique indexes, foreign keys. */
export interface KeyStatements {
  /** Encoding of the statements, e.g. `UTF8`. */
  readonly encoding: string;
  /** In the dump's order, with the changes of `search_path` between them. */
  readonly statements: readonly Buffer[];
}

/** Bytes of a statement that are read to recognise it; a key is shorter. */
const describedBytes = 65_536;

const isKey =
  /^(?:CREATE UNIQUE INDEX\b|ALTER INDEX\b[^]*\bATTACH PARTITION\b|ALTER TABLE\b[^]*?\bADD (?:CONSTRAINT (?:"(?:[^"]|"")*"|[^\s"]+) )?(?:PRIMARY KEY|UNIQUE|EXCLUDE|FOREIGN KEY)\b)/i;
const isSearchPath =
  /^(?:SET\s+(?:SESSION\s+)?search_path\b|SELECT\s+(?:pg_catalog\s*\.\s*)?set_config\s*\(\s*'search_path')/i;

/** Finds the keys in a plain dump. */
export class KeyStatementReader {
  readonly #reader = new SqlReader();
  readonly #statements: Buffer[] = [];
  #encoding = "UTF8";
  #decode: DecodeText = textDecoder("UTF8");

  push(chunk: Buffer): void {
    this.#takeAll(this.#reader.push(chunk));
  }

  /** @param encoding Overrides the dump's encoding. */
  finish(encoding?: string): KeyStatements {
    this.#takeAll(this.#reader.finish());
    return { encoding: encoding ?? this.#encoding, statements: this.#statements };
  }

  #takeAll(tokens: Iterable<SqlToken>): void {
    for (const token of tokens) {
      if (token.type !== "statement") continue;
      const text = this.#decode(token.bytes.subarray(0, describedBytes)).trimStart();
      const encoding = clientEncodingOf(text);
      if (encoding !== undefined) {
        this.#encoding = encoding;
        this.#decode = textDecoder(encoding);
      } else if (isSearchPath.test(text) || isKey.test(text)) this.#statements.push(token.bytes);
    }
  }
}
