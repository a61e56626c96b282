import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { hideSecrets } from "../../model/base/hide-secrets";
import {
  completeCopies,
  isSecretOption,
  joinPath,
  parseRemote,
  type RemoteCopy,
  type OffsiteRemote,
  type OffsiteConfig,
  type RemoteFile,
} from "../../model/backup/offsite-config";
import {
  passwordsAmong,
  remoteName,
  remoteProblems,
  renderRcloneConfig,
} from "../../model/backup/rclone-config";
import { rcloneFailure } from "../../model/backup/rclone-failure";
import { formatDuration, parseDuration } from "../../model/base/units";
import { AgentError } from "../system/errors";
import { stateFolder } from "../system/state-folder";
import { writeFileAtomically } from "../system/atomic-file";
import { repositoryFolder } from "../repository/repository";
import { checkRecipients } from "./encryption";
import { PipelineError, runPipeline, type Stage } from "./pipeline";
import { obscure, rclone, readBackends } from "./rclone";

const ownFolder = path.join(stateFolder, "offsite");
const configName = "rclone.conf";

/** Where rclone keeps what it cannot send as it comes; few back ends need it. */
const spoolFolder = path.join(repositoryFolder, "spool");

/** The longest that a timer of Node can be, in milliseconds: 24 days. */
const maxTimerMilliseconds = 2 ** 31 - 1;

/** What rclone exits with when there is nothing at a path. */
const notFoundStatus = 3;

/** How often the time that a place may be silent fits into a call that moves no backup, such as a list. */
const idlePeriods = 20;

/** The longest connecting may take, in seconds. */
const connectSeconds = 15;

/** rclone's own words for how long it tries: a place that is silent is told of after a few times of that. */
function timeoutOptions(idle: number): string[] {
  const connect = Math.min(connectSeconds, idle);
  const tries = ["--retries", "1", "--low-level-retries", "3"];
  return [...tries, "--contimeout", `${connect}s`, "--timeout", `${idle}s`];
}

/** Keeps the way to a remote for rclone, readable by the agent alone; refuses what this rclone cannot do. */
export async function saveRemote(settings: OffsiteConfig): Promise<void> {
  await writeRcloneConfig(settings, ownFolder, async () => checkRecipients(settings));
}

/** Does something at a remote that this server does not copy to; its passwords and keys are forgotten afterwards. */
export async function withRemote<T>(
  place: OffsiteRemote,
  server: string,
  work: (remote: Remote) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "offsite-"));
  try {
    await writeRcloneConfig(place, folder);
    return await work(new Remote(place, server, undefined, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeRcloneConfig(
  place: OffsiteRemote,
  folder: string,
  check?: () => Promise<void>,
): Promise<void> {
  const backends = await readBackends();
  const problems = remoteProblems(place, backends);
  if (problems.length > 0) throw new AgentError(problems.join("\n"));
  await check?.();
  const name = parseRemote(place.remote)?.backend;
  const backend = backends.find((backend) => backend.name === name);
  const options = { ...place.options };
  for (const password of backend ? passwordsAmong(options, backend) : []) {
    options[password] = await obscure(options[password] ?? "");
  }
  const knownHosts = path.join(folder, "known_hosts");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAtomically(knownHosts, `${(place.options["known_hosts"] ?? "").trim()}\n`);
  const config = renderRcloneConfig({ ...place, options }, knownHosts);
  await writeFileAtomically(path.join(folder, configName), config);
}

/** Forgets the way to a remote, and with it all passwords and keys. */
export async function removeRemote(): Promise<void> {
  await rm(ownFolder, { recursive: true, force: true });
}

/** Where a server's copies lie, and what can be done there. */
export class Remote {
  readonly #settings: OffsiteRemote;
  readonly #server: string;
  readonly #signal: AbortSignal | undefined;
  readonly #configFile: string;

  constructor(settings: OffsiteRemote, server: string, signal?: AbortSignal, folder = ownFolder) {
    this.#configFile = path.join(folder, configName);
    this.#settings = settings;
    this.#server = server;
    this.#signal = signal;
  }

  /** Everything in the server's folder, half-made copies too. */
  async files(): Promise<RemoteFile[]> {
    const args = ["lsjson", "--files-only", "--no-modtime", "--no-mimetype", this.#path("")];
    try {
      const listed = listSchema.parse(JSON.parse(await this.#say(args)));
      return listed.map(({ Name, Size }) => ({ name: Name, bytes: Size }));
    } catch (error) {
      if (error instanceof RemoteError && error.isNotFound) return [];
      throw error;
    }
  }

  /** The copies that are there, oldest first. */
  async copies(): Promise<RemoteCopy[]> {
    return completeCopies(await this.files());
  }

  /** The program that puts what it reads into a file there. `bytes` is about how much it will be. */
  write(name: string, bytes: number): Stage {
    return this.#stage(["rcat", ...this.#pieces(bytes), this.#path(name)]);
  }

  /** The program that writes what is in a file there. */
  read(name: string, watch: (piece: Buffer) => void): Stage {
    return { ...this.#stage(["cat", this.#path(name)]), onOutput: watch };
  }

  /** Gives a file there another name. */
  async rename(from: string, to: string): Promise<void> {
    // S3 copies it, which takes as long as it is large.
    const move = ["moveto", "--ignore-times", this.#path(from), this.#path(to)];
    await this.#say(move, this.#limit);
  }

  /** Removes a file there. */
  async remove(name: string): Promise<void> {
    await this.#say(["deletefile", this.#path(name)]);
  }

  /** Removes what uploads that were cut have left where no file shows it. */
  async tidy(): Promise<void> {
    if (this.#backend === "s3" || this.#backend === "b2")
      await this.#say(["cleanup", this.#path("")]);
  }

  /**
   * Runs programs that have to do with the remote; throws what rclone means when it fails. Whatever rclone waits for, the
   * programs are ended when the time is over.
   */
  async run(stages: readonly Stage[], input = "", seconds = this.#limit): Promise<void> {
    const deadline = AbortSignal.timeout(Math.min(seconds * 1000, maxTimerMilliseconds));
    const signal = AbortSignal.any([deadline, ...(this.#signal ? [this.#signal] : [])]);
    try {
      await runPipeline(stages, { input, signal });
    } catch (error) {
      if (deadline.aborted && error === deadline.reason) {
        const over = `not done within ${formatDuration(seconds)}, and given up`;
        // A place that is only read from has no limits to raise.
        const keys =
          this.#settings.limit === undefined
            ? ""
            : ", or raise backups.offsite.limit, or backups.offsite.idle where nothing is sent";
        const fix = `open a wider way to it${keys}`;
        throw new RemoteError(`${this.#settings.remote}: ${over}; ${fix}`, false);
      }
      if (!(error instanceof PipelineError) || error.program !== "rclone") throw error;
      const said = hideSecrets(rcloneFailure(error.stderr), secretsOf(this.#settings));
      throw new RemoteError(`${this.#settings.remote}: ${said}`, error.status === notFoundStatus);
    }
  }

  /** Seconds that a transfer may take. */
  get #limit(): number {
    return parseDuration(this.#settings.limit ?? "") ?? maxTimerMilliseconds;
  }

  /** Seconds that the place may be silent. */
  get #idle(): number {
    return parseDuration(this.#settings.idle ?? "") ?? connectSeconds;
  }

  get #backend(): string | undefined {
    return parseRemote(this.#settings.remote)?.backend;
  }

  async #say(
    args: readonly string[],
    seconds = Math.min(this.#limit, idlePeriods * this.#idle),
  ): Promise<string> {
    const pieces: Buffer[] = [];
    const stage = { ...this.#stage(args), watch: (piece: Buffer) => pieces.push(piece) };
    await this.run([stage], "", seconds);
    return Buffer.concat(pieces).toString("utf8");
  }

  #path(name: string): string {
    return `${remoteName}:${joinPath(parseRemote(this.#settings.remote)?.path ?? "", this.#server, name)}`;
  }

  /** S3 takes 10,000 pieces of one file, and rclone does not know how large it will be. */
  #pieces(bytes: number): string[] {
    const megabytes = Math.max(5, Math.ceil(bytes / 9000 / 2 ** 20));
    return this.#backend === "s3" ? ["--s3-chunk-size", `${megabytes}Mi`] : [];
  }

  #stage(args: readonly string[]): Stage {
    const where = ["--config", this.#configFile, "--temp-dir", spoolFolder];
    return rclone([...where, ...timeoutOptions(this.#idle), ...args]);
  }
}

/** What went wrong with a remote, for people. */
export class RemoteError extends AgentError {
  constructor(
    message: string,
    readonly isNotFound: boolean,
  ) {
    super(message);
  }
}

/** Makes an empty folder for rclone to keep what it cannot send as it comes, and removes it afterwards. */
export async function withSpool<T>(work: () => Promise<T>): Promise<T> {
  await rm(spoolFolder, { recursive: true, force: true });
  await mkdir(spoolFolder, { recursive: true, mode: 0o700 });
  try {
    return await work();
  } finally {
    await rm(spoolFolder, { recursive: true, force: true });
  }
}

/** The values of settings that nobody is to see. */
export function secretsOf({ options }: Pick<OffsiteConfig, "options">): string[] {
  return Object.entries(options).flatMap(([name, value]) => (isSecretOption(name) ? [value] : []));
}

const listSchema = z.array(z.object({ Name: z.string(), Size: z.number() }));
