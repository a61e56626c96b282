import { newline } from "./bytes";
import { describeStatement } from "./statement";

/** The database in `\connect shop`, `\connect "my shop"` or `\connect -reuse-previous=on "dbname='a b'"`; `undefined` when it names none. */
export function connectedDatabase(command: string): string | undefined {
  const rest =
    /^\\(?:c|connect)\s+(?:-reuse-previous=\w+\s+)?(.*)$/.exec(command.trim())?.[1] ?? "";
  const quoted = /^"((?:[^"]|"")*)"/.exec(rest)?.[1]?.replaceAll('""', '"');
  const name =
    quoted ?? /^'((?:[^']|'')*)'/.exec(rest)?.[1]?.replaceAll("''", "'") ?? /^\S+/.exec(rest)?.[0];
  // A connection as another role, as dumps up to PostgreSQL 7.3 have it.
  if (name === undefined || name === "-") return undefined;
  const option = /\bdbname\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))/.exec(name);
  return option ? (option[1]?.replaceAll(/\\(.)/g, "$1") ?? option[2]) : name;
}

/** How the lines begin that are looked for. */
const beginnings = ["\\connect ", "CREATE DATABASE "].map((text) => Buffer.from(text));

/**
 * Finds the databases in the dump of a cluster, by the lines that connect to them. No row begins with such a command, because
 * COPY doubles backslashes.
 */
export class ClusterDatabases {
  readonly #connected = new Set<string>();
  readonly #created = new Map<string, string>();
  #rest = Buffer.alloc(0);

  /** Their names in order, without templates; `postgres` only if it is the only one. */
  get names(): readonly string[] {
    const own = [...this.#connected].filter((name) => !/^template[01]$/.test(name));
    return own.length > 1 ? own.filter((name) => name !== "postgres") : own;
  }

  /** Whether a database is in the dump. */
  has(name: string): boolean {
    return this.#connected.has(name);
  }

  /** The CREATE DATABASE of a database; `undefined` for those that every cluster has. */
  creationOf(name: string): string | undefined {
    return this.#created.get(name);
  }

  /** Reads the next bytes of the file, uncompressed. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (const beginning of beginnings) {
      for (let at = bytes.indexOf(beginning); at >= 0; at = bytes.indexOf(beginning, at + 1)) {
        const end = bytes.indexOf(newline, at);
        if (end < 0) break;
        if (at === 0 || bytes[at - 1] === newline) this.#take(bytes.toString("utf8", at, end));
      }
    }
    const last = bytes.lastIndexOf(newline);
    // A row may be long, these lines are not.
    this.#rest = Buffer.from(bytes.subarray(Math.max(0, last)).subarray(0, 2 ** 12));
  }

  #take(line: string): void {
    if (line.startsWith("\\")) {
      const name = connectedDatabase(line);
      if (name !== undefined) this.#connected.add(name);
    } else {
      const { name } = describeStatement(line);
      if (name !== undefined) this.#created.set(name, line);
    }
  }
}
