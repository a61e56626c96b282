import { execa } from "execa";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeAll, expect } from "vitest";
import {
  restoreResultSchema,
  type RestoreRequest,
  type RestoreResult,
} from "../../../model/restore/protocol";
import type { ServerKind } from "../../../model/base/names";
import type { RolesRequest } from "../../../model/roles/protocol";
import { Inside } from "../engines/inside-container";
import { ensureServerImage } from "../../../cli/server/server-image";
import { processOfTest } from "../programs/process";
import { useForFile } from "../run/for-file";
import { checkout } from "../files/checkout";

/** Marks what tests made, so that what a killed run left behind can be swept away. */
export const label = "stagecraft.test";
const leftoverAgeSeconds = 2 * 3600;

/** In the agent's volume, so that it outlives its container. */
export const clockFile = "/var/lib/stagecraft/clock";

/** What is too large for a line of JSON, in bytes. */
const largeBytes = 4 * 2 ** 20;

/** A role that logs in: the application of a database of that name. */
export const owner = "app";

/** How a server for tests differs from an ordinary one. */
export interface TestServerOptions {
  /** The kind of server that it is. @default "development" */
  readonly kind?: ServerKind | undefined;
  /** Memory of the PostgreSQL container, its data among it, e.g. `"512m"`. */
  readonly memory?: string;
  /** Size of the data volume, which is in memory, e.g. `"64m"`; `"disk"` for one that is not, as a stack has it. */
  readonly dataSize?: string;
  /** Size of the agent's volume, then in memory, e.g. `"64m"`. */
  readonly agentSize?: string;
  /** Size of the volume of the backups, then in memory, e.g. `"64m"`. */
  readonly backupsSize?: string;
  /** Size of the volume of the archive, then in memory, e.g. `"64m"`. */
  readonly archiveSize?: string;
  /** A volume that is there already and is not its own, for its archive. */
  readonly archiveVolume?: string;
  /** The stack whose server it is, so that the CLI finds it by {@link TestServer.prefix}. @default a name of its own */
  readonly stack?: string;
  /** Whether the agent takes for now what {@link TestServer.setClock} says. */
  readonly clock?: boolean;
  /** Further defaults of PostgreSQL's settings, e.g. `["shared_buffers=32MB"]`. */
  readonly settings?: readonly string[];
  /** How often the engine asks for its health, e.g. `"5s"`; seldom unless told, because each question is a process. */
  readonly healthInterval?: string;
  /** Whether its own backups are also those of another server that it may read. */
  readonly readsBackups?: boolean;
}

/** What a program said. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A restore to be asked for; what is left out has the value most tests want. */
export interface TestRestore extends Partial<Omit<RestoreRequest, "source">> {
  readonly database: string;
  /** The dump: its contents, or the path of a file or folder. */
  readonly dump: Buffer | string;
  /** The name it goes by. */
  readonly name?: string;
}

/** The roles of a database, and people. */
export interface TestRoles extends Partial<Pick<RolesRequest, "kind" | "monitor" | "people">> {
  readonly database: string;
  /** Passwords of the login roles. */
  readonly application?: string;
  readonly readonly?: string;
}

/** Somebody who logs in. */
export interface TestLogin {
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Further parameters of the connection, e.g. `"sslmode=disable"`. @default none */
  readonly options?: string;
}

/** What became of a restore. */
export interface TestRestored extends CommandResult {
  readonly result: RestoreResult;
}

/** Starts a server for the tests of one file, and removes it after them. */
export function useServer(options: TestServerOptions = {}): TestServer {
  return use(new TestServer(options));
}

/** The same for a server of another make. */
export function use<T extends TestServer>(server: T): T {
  beforeAll(sweep);
  return useForFile(server);
}

/** A pair of containers as the stacks make them: PostgreSQL and the agent. */
export class TestServer {
  readonly prefix = `sct-agent-${randomBytes(4).toString("hex")}`;
  /** What its containers and volumes are called by. */
  readonly resourcePrefix: string;
  /** What its agent calls it. */
  readonly name: string;
  /** The kind of server that it is. */
  readonly kind: ServerKind;
  readonly postgres: string;
  readonly agentContainer: string;
  readonly scratch: string;
  /** A folder on this machine for the files of the tests. */
  readonly folder = mkdtempSync(join(tmpdir(), `${this.prefix}-`));
  protected readonly volumes: readonly string[];
  readonly #inside: Inside;
  #files = 0;

  constructor(private readonly options: TestServerOptions = {}) {
    const { stack, kind = "development" } = options;
    this.kind = kind;
    this.resourcePrefix = stack === undefined ? this.prefix : `${this.prefix}-${stack}`;
    this.name = stack ?? this.prefix;
    this.postgres = `${this.resourcePrefix}-postgres`;
    this.agentContainer = `${this.resourcePrefix}-agent`;
    this.scratch = `${this.resourcePrefix}-scratch`;
    this.volumes = ["data", "run", "agent", "backups", "archive", "scratch"].map((volume) =>
      this.volume(volume),
    );
    this.#inside = new Inside(this.agentContainer);
  }

  /** The name of one of its volumes. */
  volume(volume: string): string {
    return `${this.resourcePrefix}-${volume}`;
  }

  /** The names of its containers. */
  get containers(): readonly string[] {
    return [this.postgres, this.agentContainer, this.scratch];
  }

  async start(): Promise<void> {
    // Built by the set-up; here only when its sources were changed since.
    const { tag } = await ensureServerImage(checkout, () => undefined);
    const marks = ["--label", `${label}=${this.resourcePrefix}`];
    const [data = "", run = "", agent = "", backups = "", archive = ""] = this.volumes;
    await docker("network", "create", ...marks, this.resourcePrefix);
    const {
      memory = "2g",
      dataSize = "1500m",
      agentSize,
      backupsSize,
      archiveSize,
      clock = false,
    } = this.options;
    const { settings = [], healthInterval = "60s", readsBackups = false } = this.options;
    const { archiveVolume = archive } = this.options;
    for (const [volume, size] of [
      [data, dataSize],
      [agent, agentSize],
      [backups, backupsSize],
      [archive, archiveSize],
    ] as const) {
      if (size === undefined || size === "disk") continue;
      const options = ["type=tmpfs", "device=tmpfs", `o=size=${size},uid=5432,gid=5432,mode=0700`];
      await docker("volume", "create", ...marks, ...options.flatMap((o) => ["--opt", o]), volume);
    }
    // Made with the first container that sees it.
    const mount = (volume: string, target: string): string[] => [
      "--mount",
      `type=volume,source=${volume},target=${target},volume-label=${label}=${this.resourcePrefix}`,
    ];
    const common = [
      ["run", "--detach", "--network", this.resourcePrefix, ...marks],
      ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"],
      ["--tmpfs", "/tmp", "--env", `STAGECRAFT_SERVER=${this.name}`],
      [...mount(data, "/var/lib/postgresql/data"), ...mount(run, "/run/postgresql")],
      [...mount(archiveVolume, "/var/lib/pgbackrest"), "--health-interval", healthInterval],
    ].flat();
    await docker(
      ...[...common, "--name", this.postgres, "--stop-signal", "SIGINT", "--memory", memory],
      // What is in memory goes with its last container.
      ...(backupsSize === undefined ? [] : mount(backups, "/mnt/backups")),
      ...["--shm-size", "64m", "--health-cmd", "pg_isready -q -h /run/postgresql"],
      // Nothing here outlives its machine, so nothing need wait for the disk.
      ...[tag, "stagecraft-postgres", "fsync=off", ...settings],
    );
    await this.startScratch(tag);
    await docker(
      ...[...common, "--name", this.agentContainer, "--env", `STAGECRAFT_KIND=${this.kind}`],
      ...["--volume", `${this.volume("scratch")}:/var/lib/scratch:ro`],
      ...["--env", `STAGECRAFT_POSTGRES_HOST=${this.postgres}`],
      ...[...mount(agent, "/var/lib/stagecraft"), ...mount(backups, "/var/backups/stagecraft")],
      ...(clock ? ["--env", `STAGECRAFT_CLOCK=${clockFile}`] : []),
      ...(readsBackups
        ? [
            "--volume",
            `${backups}:/var/backups/source:ro`,
            "--env",
            "STAGECRAFT_SOURCE_VOLUME=prod-backups",
          ]
        : []),
      ...["--health-cmd", "stagecraft-agent health"],
      ...[tag, "stagecraft-agent", "serve"],
    );
    expect(await this.makeRoles({ database: owner })).toMatchObject({ status: 0 });
  }

  /** Starts the scratch container, where files are checked and backups verified. */
  protected async startScratch(tag: string): Promise<void> {
    const { memory = "2g" } = this.options;
    const volume = this.volume("scratch");
    const mark = `${label}=${this.resourcePrefix}`;
    await docker(
      ...["run", "--detach", "--name", this.scratch, "--label", mark, "--network", "none"],
      ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"],
      ...["--tmpfs", "/tmp", "--user", "scratch", "--memory", memory, "--shm-size", "64m"],
      ...["--tmpfs", "/var/lib/postgresql/data:uid=5434,gid=5434,mode=0700"],
      "--mount",
      `type=volume,source=${volume},target=/var/lib/scratch,volume-label=${mark}`,
      ...["--env", `STAGECRAFT_SERVER=${this.name}`, tag, "stagecraft-agent", "scratch"],
    );
  }

  /** Makes the roles of a database; the passwords that are left out are random. */
  async makeRoles({ database, people = [], ...more }: TestRoles): Promise<CommandResult> {
    const random = (): string => randomBytes(12).toString("hex");
    const { kind = this.kind, monitor = random(), ...passwords } = more;
    const databases = [{ name: database, application: random(), readonly: random(), ...passwords }];
    return this.agent(["roles"], { server: this.name, kind, monitor, databases, people });
  }

  async remove(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    this.#inside.end();
    await execa("docker", ["rm", "--force", ...this.containers], { reject: false });
    await execa("docker", ["volume", "rm", "--force", ...this.volumes], { reject: false });
    await execa("docker", ["network", "rm", this.resourcePrefix], { reject: false });
  }

  /** Begins to remove everything, from a process that is about to end. */
  removeAtOnce(): void {
    const containers = `docker rm --force ${this.containers.join(" ")}`;
    const rest = `docker volume rm --force ${this.volumes.join(" ")}; docker network rm ${this.resourcePrefix}`;
    const options = { detached: true, stdio: "ignore" } as const;
    spawn("sh", ["-c", `${containers}; ${rest}`], options).unref();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Asks the agent; `request` becomes the JSON on its stdin. */
  async agent(verb: readonly string[], request?: unknown): Promise<CommandResult> {
    const input = request === undefined ? "" : JSON.stringify(request);
    return this.agentWith(verb, Buffer.from(input));
  }

  /** Asks the agent with these bytes on its stdin. */
  async agentWith(verb: readonly string[], stdin: Buffer): Promise<CommandResult> {
    if (stdin.length < largeBytes) return this.run(["stagecraft-agent", ...verb], stdin);
    const { exitCode, stdout, stderr } = await processOfTest(
      execa("docker", ["exec", "-i", this.agentContainer, "stagecraft-agent", ...verb], {
        input: stdin,
        reject: false,
        stripFinalNewline: false,
        maxBuffer: 2 ** 30,
      }),
    );
    return { status: exitCode ?? -1, stdout, stderr };
  }

  /** Hands a dump over, as the Database component does. */
  async receive(
    dump: string,
    { database, mode = "replace" }: Pick<TestRestore, "database" | "mode">,
  ): Promise<CommandResult & { readonly sha256: string }> {
    const verb = ["receive", digest(dump), database, mode.replaceAll(" ", "-")];
    const isFolder = statSync(dump).isDirectory();
    const stdin = isFolder
      ? Buffer.from(
          (
            await execa("tar", ["-C", dump, "-cf", "-", "."], {
              encoding: "buffer",
              stripFinalNewline: false,
            })
          ).stdout,
        )
      : readFileSync(dump);
    const said = await this.agentWith(isFolder ? [...verb, "--folder"] : verb, stdin);
    return { ...said, sha256: digest(dump) };
  }

  /** Hands a dump over and restores it. */
  async restore({ dump, name, ...more }: TestRestore): Promise<TestRestored> {
    const file = typeof dump === "string" ? dump : await this.file(dump);
    const received = await this.receive(file, more);
    expect(received).toMatchObject({ status: 0, stderr: "" });
    const source = { name: name ?? basename(file), sha256: received.sha256 };
    return this.restoreReceived({ ...more, source });
  }

  /** Restores a dump that has been handed over. */
  async restoreReceived(
    request: Partial<RestoreRequest> & Pick<RestoreRequest, "database" | "source">,
  ): Promise<TestRestored> {
    const said = await this.agent(["restore"], {
      server: this.name,
      kind: this.kind,
      restoreId: `${request.source.sha256?.slice(0, 12) ?? request.source.backup}-1`,
      mode: "replace",
      roles: "leave out",
      ...request,
    });
    const lines = said.stdout.trimEnd().split("\n");
    if (lines.length !== 1 || lines[0] === "")
      throw new Error(`not one line of JSON: ${JSON.stringify(said)}`);
    const result = restoreResultSchema.parse(JSON.parse(said.stdout));
    expect(said.status, said.stderr).toBe(result.result === "failed" ? 1 : 0);
    const report = await this.#newestReport();
    // Two that begin in one millisecond are told apart by what came of them.
    const isIts = report?.startedAt === result.startedAt && report.result === result.result;
    return { ...said, result: isIts ? report : result };
  }

  /** The agent's newest report, which has the verdict's details, as it lies in its volume: asking for it would start another Node. */
  async #newestReport(): Promise<RestoreResult | null> {
    const newest =
      'cd /var/lib/stagecraft/reports 2>/dev/null && cat "$(ls *.json | tail -n 1)" || echo null';
    const { stdout } = await this.run(["sh", "-c", newest]);
    return restoreResultSchema.nullable().parse(JSON.parse(stdout));
  }

  /** Runs SQL as the superuser and gives what psql prints, unaligned and without headings. */
  async sql(database: string, text: string): Promise<string> {
    const said = await this.trySql(database, text);
    if (said.status !== 0) throw new Error(said.stderr);
    return said.stdout.replace(/\n$/, "");
  }

  /** The same, when it may fail. */
  async trySql(
    database: string,
    text: string,
    settings: readonly string[] = [],
  ): Promise<CommandResult> {
    const psql = ["env", ...settings, "psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1"];
    return this.run(
      [...psql, "-U", "postgres", "-d", connectionString(database)],
      Buffer.from(text),
    );
  }

  /** Runs SQL over the network as somebody who logs in; the password goes by stdin, as no secret may be in a list of processes. */
  async as(
    { user, password, database, options = "" }: TestLogin,
    sql: string,
  ): Promise<CommandResult> {
    const script =
      'IFS= read -r PGPASSWORD; export PGPASSWORD; exec psql -qAtX -v ON_ERROR_STOP=1 -h "$1" -U "$2" -d "$3" -f -';
    return this.run(
      ["bash", "-c", script, "-", this.postgres, user, `${connectionString(database)} ${options}`],
      Buffer.from(`${password}\n${sql}`),
    );
  }

  /** Removes the files of all its containers whose paths begin like this; the rest of their names, sorted. */
  async takeFiles(beginning: string): Promise<string[]> {
    const script = 'for f in "$0"*; do [ -e "$f" ] && echo "${f#"$0"}" && rm "$f"; done; true';
    const ours = ["--filter", `label=${label}=${this.resourcePrefix}`, "--format", "{{.Names}}"];
    const containers = (await docker("ps", ...ours)).split("\n");
    const found = await Promise.all(
      containers.map(async (name) => docker("exec", name, "bash", "-c", script, beginning)),
    );
    const names = found.flatMap((text) => text.split("\n"));
    return names.filter((name) => name !== "").sort();
  }

  /** Makes a database and fills it. */
  async createDatabase(name: string, sql: string, options = ""): Promise<void> {
    await this.sql("postgres", `CREATE DATABASE "${name}" TEMPLATE template0 ${options}`);
    await this.sql(name, sql);
  }

  /** A dump of a database in one piece. */
  async dump(database: string, ...args: readonly string[]): Promise<Buffer> {
    return this.output(["pg_dump", "-U", "postgres", ...args, connectionString(database)]);
  }

  /** A dump in directory format; the path of the folder. */
  async dumpFolder(database: string, ...args: readonly string[]): Promise<string> {
    const made =
      'rm -rf /tmp/folder && pg_dump -U postgres -Fd -f /tmp/folder "$@" >&2 && tar -C /tmp -cf - folder';
    const tar = await this.output(["bash", "-ec", made, "-", ...args, connectionString(database)]);
    const folder = this.path();
    const partial = mkdtempSync(join(this.folder, "tar-"));
    await execa("tar", ["-C", partial, "-xf", "-"], { input: tar });
    cpSync(join(partial, "folder"), folder, { recursive: true });
    return folder;
  }

  /** Writes a file of a test; its path. */
  async file(contents: Buffer | string, name?: string): Promise<string> {
    const path = this.path(name);
    await writeFile(path, contents);
    return path;
  }

  /** A path for a file of a test. */
  path(name = "dump"): string {
    return join(this.folder, `${++this.#files}-${name}`);
  }

  /** The bytes a program in the agent's container writes. */
  async output(command: readonly string[], stdin: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    const { status, stdout, stderr } = await this.#inside.run(command, stdin);
    if (status !== 0) throw new Error(stderr.toString());
    return stdout;
  }

  /** Runs a program in the agent's container. */
  async run(command: readonly string[], stdin: Buffer = Buffer.alloc(0)): Promise<CommandResult> {
    const { status, stdout, stderr } = await this.#inside.run(command, stdin);
    return { status, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  /** Says what time it is for an agent that was made for it; until then it has the right time. */
  async setClock(moment: string): Promise<void> {
    const write = ["sh", "-c", `cat > ${clockFile}.new && mv ${clockFile}.new ${clockFile}`];
    expect(await this.run(write, Buffer.from(moment))).toMatchObject({ status: 0 });
  }

  /** Ends a container as a crash of its machine would. */
  async kill(which: "postgres" | "agent" | "scratch"): Promise<void> {
    await docker("kill", "--signal", "KILL", `${this.resourcePrefix}-${which}`);
  }

  /** Starts a container again. */
  async restart(which: "postgres" | "agent" | "scratch"): Promise<void> {
    await docker("start", `${this.resourcePrefix}-${which}`);
  }

  /** Runs SQL as the superuser of the scratch server, where backups are verified; "" while there is none. */
  async scratchSql(text: string, database = "postgres"): Promise<string> {
    const psql = ["psql", "--no-psqlrc", "-qAt", "-h", "/var/lib/scratch", "-U", "postgres"];
    return (await this.run([...psql, database], Buffer.from(text))).stdout.replace(/\n$/, "");
  }

  /** Names of all databases but PostgreSQL's own. */
  async databases(): Promise<string[]> {
    const found = await this.sql(
      "postgres",
      "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1",
    );
    return found === "" ? [] : found.split("\n");
  }

  /** That no restore has left anything half-made: no copy, no role with the superuser's rights. */
  async expectNothingUnfinished(): Promise<void> {
    expect(await this.leftovers()).toBe("");
  }

  /** Names of what an unfinished restore has left, with commas; "" where there is nothing. */
  async leftovers(): Promise<string> {
    return this.sql("postgres", unfinishedRestoreSql);
  }
}

/** Asks for what only an unfinished restore has: copies of databases, and roles. */
export const unfinishedRestoreSql = `
  SELECT string_agg(name, ', ') FROM (
    SELECT datname AS name FROM pg_database WHERE datname ~ '__(incoming|outgoing|checking)$'
    UNION ALL SELECT rolname FROM pg_roles WHERE rolname <> 'postgres' AND (rolsuper OR rolname = 'stagecraft_restore' OR rolname ~ '^stagecraft_session_')
  ) AS leftovers`;

/** Runs docker; throws what it says when it fails. */
export async function docker(...args: readonly string[]): Promise<string> {
  return (await processOfTest(execa("docker", args))).stdout;
}

/** The digest by which a dump goes: of a file, or over the sorted digests of a folder's files. */
export function digest(dump: string): string {
  const sha256 = (bytes: Buffer | string): string =>
    createHash("sha256").update(bytes).digest("hex");
  if (!statSync(dump).isDirectory()) return sha256(readFileSync(dump));
  const lines = readdirSync(dump).map(
    (file) => `${sha256(readFileSync(join(dump, file)))}  ${file}\n`,
  );
  return sha256(lines.sort().join(""));
}

/** A bare name with an equals sign in it would be read as a connection string. */
function connectionString(database: string): string {
  return `dbname='${database.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** Removes what runs that were killed long ago left behind. */
async function sweep(): Promise<void> {
  const old = async (list: readonly string[], created: string): Promise<string[]> => {
    const names = await docker(...list, "--filter", `label=${label}`, "-q");
    if (names === "") return [];
    const kind = list[0] ?? "";
    const told = await docker(kind, "inspect", "--format", created, ...names.split("\n"));
    return names.split("\n").filter((_, i) => {
      const at = Date.parse(told.split("\n")[i]?.replace(/^"|"$/g, "") ?? "");
      return Date.now() - at > leftoverAgeSeconds * 1000;
    });
  };
  // Another file's tests may be sweeping too, so what has gone in the meantime is no fault.
  const containers = await old(["container", "ls", "-a"], "{{json .Created}}").catch(() => []);
  if (containers.length > 0)
    await execa("docker", ["rm", "--force", ...containers], { reject: false });
  const volumes = await old(["volume", "ls"], "{{json .CreatedAt}}").catch(() => []);
  if (volumes.length > 0)
    await execa("docker", ["volume", "rm", "--force", ...volumes], { reject: false });
  const networks = await old(["network", "ls"], "{{json .Created}}").catch(() => []);
  if (networks.length > 0) await execa("docker", ["network", "rm", ...networks], { reject: false });
}
