import type { TestServer } from "../support/server";

/** The database that is backed up. */
export const database = "shop";

/** Where what is judged is restored into. */
const scratch = "judged";

/** What is in the database: of each table its rows and a checksum over them, and one over the large objects. Nothing of it is reckoned by what is judged. */
export type Facts = string;

const factsOf = (table: string): string =>
  `(SELECT count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM ${table} t)`;
const tables = ["a", "z", "fleeting", "parts", `"it's an ""odd"" name"`];
const largeObjects = `(SELECT coalesce(sum(hashtextextended(encode(lo_get(oid), 'hex'), 0)::numeric), 0) FROM pg_largeobject_metadata)`;
const factsSql = `SELECT ${[...tables.map(factsOf), largeObjects].join(", ")}`;

/** Writes to the database, so that every attempt is of other contents, and notes what is in it then. */
export async function note(server: TestServer): Promise<Facts> {
  return server.sql(database, `INSERT INTO z SELECT max(id) + 1 FROM z; ${factsSql}`);
}

/** What is there when a dump of any format has been restored, however that ended; `dump` is a pattern of the shell. */
export async function restoredFacts(server: TestServer, dump: string): Promise<Facts> {
  const script = `
    psql -qX -U postgres -c 'DROP DATABASE IF EXISTS ${scratch} WITH (FORCE)' \\
      -c 'CREATE DATABASE ${scratch} TEMPLATE template0' || exit
    for dump in ${dump}; do
      case $dump in
        *.bz2) bzip2 -dc "$dump" | psql -qX -U postgres -d ${scratch} ;;
        *) pg_restore -U postgres -d ${scratch} "$dump" ;;
      esac
    done >/dev/null 2>&1
    psql -qAtX -U postgres -d ${scratch} -c "$1" 2>/dev/null || echo nothing`;
  const { stdout } = await server.run(["bash", "-c", script, "-", factsSql]);
  return stdout.trim();
}

/** The newest backups that retention is told to keep. */
export const kept = 4;

/** What the harness knows to be good, by its name, with a checksum over all of it. */
export class Goods {
  readonly #sums = new Map<string, string>();

  /** `folder`: where they are, on the server. */
  constructor(
    private readonly server: TestServer,
    private readonly folder: string,
  ) {}

  get names(): string[] {
    return [...this.#sums.keys()].sort();
  }

  /** Adds one that was restored and found whole. */
  async add(name: string): Promise<void> {
    this.#sums.set(name, (await this.#sumsNow([name])).get(name) ?? "");
  }

  /** One that is good no longer. */
  remove(name: string): void {
    this.#sums.delete(name);
  }

  /**
   * How many of those that have to be there are gone or altered: the newest that are not of a time to come, by their
   * names, and all that are.
   */
  async missing(newest: string): Promise<number> {
    const now = await this.#sumsNow(this.names);
    const isThere = (name: string): boolean => now.get(name) === this.#sums.get(name);
    const past = this.names.filter((name) => name <= newest);
    const wanted = [...past.slice(-kept), ...this.names.filter((name) => name > newest)];
    const missing = wanted.filter((name) => !isThere(name)).length;
    for (const name of this.names) if (!isThere(name)) this.#sums.delete(name);
    return missing;
  }

  async #sumsNow(names: readonly string[]): Promise<Map<string, string>> {
    const script = `cd ${this.folder}; for name; do
      echo "$name $(find "$name" -type f -print0 2>/dev/null | sort -z | xargs -0r sha256sum | sha256sum)"
    done`;
    const { stdout } = await this.server.run(["bash", "-c", script, "-", ...names]);
    const lines = stdout.trim().split("\n");
    return new Map(lines.map((line) => [line.split(" ")[0] ?? "", line.split(" ")[1] ?? ""]));
  }
}
