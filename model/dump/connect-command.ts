import { newline } from "./bytes";

/** The database in `\connect shop`, `\connect "my shop"` or `\connect -reuse-previous=on "dbname='a b'"`; `undefined` when it names none. */
export function connectedDatabase(command: string): string | undefined {
  const rest = /^\\c(?:onnect)?\s+(?:-reuse-previous=\w+\s+)?(.*)$/.exec(command.trim())?.[1] ?? "";
  const quoted = /^"((?:[^"]|"")*)"/.exec(rest)?.[1]?.replaceAll('""', '"');
  const name =
    quoted ?? /^'((?:[^']|'')*)'/.exec(rest)?.[1]?.replaceAll("''", "'") ?? /^\S+/.exec(rest)?.[0];
  // A connection as another role, as dumps up to PostgreSQL 7.3 have it.
  if (name === undefined || name === "-") return undefined;
  const option = /\bdbname\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))/.exec(name);
  return option ? (option[1]?.replaceAll(/\\(.)/g, "$1") ?? option[2]) : name;
}

const command = Buffer.from("\\connect ");

/** Finds the databases that the dump of a cluster connects to. `COPY` writes no row that begins with such a command. */
export class ConnectedDatabases {
  readonly #names = new Set<string>();
  #rest = Buffer.alloc(0);

  /** Their names in order, without templates; `postgres` only if it is the only one. */
  get names(): readonly string[] {
    const own = [...this.#names].filter((name) => !/^template[01]$/.test(name));
    return own.length > 1 ? own.filter((name) => name !== "postgres") : own;
  }

  /** Reads the next bytes of the file, uncompressed. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (let at = bytes.indexOf(command); at >= 0; at = bytes.indexOf(command, at + 1)) {
      if (at > 0 && bytes[at - 1] !== newline) continue;
      const end = bytes.indexOf(newline, at);
      if (end < 0) break;
      const name = connectedDatabase(bytes.toString("utf8", at, end));
      if (name !== undefined) this.#names.add(name);
    }
    const last = bytes.lastIndexOf(newline);
    // A row may be long, a command is not.
    this.#rest = Buffer.from(bytes.subarray(last < 0 ? 0 : last).subarray(0, 2 ** 10));
  }
}
