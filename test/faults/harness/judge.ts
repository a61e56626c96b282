import type { TestServer } from "../../support/servers/server";

/** The database that is backed up, unless a fault is about others. */
export const database = "shop";

/** A database that is backed up, and what changes its contents, so that every attempt is of other ones. */
export interface Held {
  readonly name: string;
  readonly write: string;
}

/** What a server has in it that is backed up. Tables of different databases have different names. */
export interface Holding {
  readonly databases: readonly Held[];
  readonly make: (server: TestServer) => Promise<void>;
}

const shop: Held = { name: database, write: "INSERT INTO z SELECT max(id) + 1 FROM z" };

/** Where what is judged is restored into. */
const scratch = "judged";

/** What is in databases: a line for each table with its rows and a checksum over them, and one for the large objects. Nothing of it is reckoned by what is judged. */
export type Facts = string;

const checksum = (text: string): string =>
  `coalesce(sum(hashtextextended(${text}, 0)::numeric), 0)`;
const tables = `
  SELECT format('%s.%s', n.nspname, c.relname) || substring(query_to_xml(format(
    'SELECT count(*) || '' '' || ${checksum("t::text")} AS rows FROM %I.%I t', n.nspname, c.relname
  ), false, true, '')::text FROM '<rows>(.*)</rows>')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;
const largeObjects = `
  SELECT 'large objects ' || ${checksum("encode(lo_get(oid), 'hex')")} FROM pg_largeobject_metadata HAVING count(*) > 0`;
const factsSql = `${tables} UNION ALL ${largeObjects}`;

const sorted = (lines: string): Facts => lines.trim().split("\n").sort().join("\n");

/** Writes to all that is held, and notes what is in it then. */
export async function note(server: TestServer, holding?: Holding): Promise<Facts> {
  const script = `
    while [ $# -gt 0 ]; do
      PGDATABASE=$1 psql -qAtX -v ON_ERROR_STOP=1 -U postgres -c "$2" -c "$0" || exit
      shift 2
    done`;
  const held = (holding?.databases ?? [shop]).flatMap(({ name, write }) => [name, write]);
  const facts = await server.output(["bash", "-c", script, factsSql, ...held]);
  return sorted(facts.toString());
}

/** What is there when dumps of any format have been restored into one database, however that ended: of each path the file, or all the dumps in the folder. */
export async function restoredFacts(
  server: TestServer,
  ...paths: readonly string[]
): Promise<Facts> {
  const script = `
    psql -qX -U postgres -c 'DROP DATABASE IF EXISTS ${scratch} WITH (FORCE)' \\
      -c 'CREATE DATABASE ${scratch} TEMPLATE template0' || exit
    for path; do
      if [ -d "$path" ]; then dumps+=("$path"/pg_dump.*); else dumps+=("$path"); fi
    done
    for dump in "\${dumps[@]}"; do
      case $dump in
        *.bz2) bzip2 -dc "$dump" ;;
        *) pg_restore -f - "$dump" ;;
      esac
    done 2>/dev/null | psql -qX -U postgres -d ${scratch} >/dev/null 2>&1
    psql -qAtX -U postgres -d ${scratch} -c "$0" 2>/dev/null || echo nothing`;
  const { stdout } = await server.run(["bash", "-c", script, factsSql, ...paths]);
  return sorted(stdout);
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
