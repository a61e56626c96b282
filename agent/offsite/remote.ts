import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { hideSecrets } from "../../model/base/hide-secrets";
import {
  isSecretOption,
  parseRemote,
  type OffsiteRemote,
  type OffsiteConfig,
} from "../../model/backup/offsite-config";
import {
  type RemoteCopy,
  type RemoteFile,
  completeCopies,
  joinPath,
} from "../../model/backup/remote-copies";
import {
  passwordsAmong,
  remoteName,
  remoteProblems,
  renderRcloneConfig,
} from "../../model/backup/rclone-config";
import { isDenial, rcloneFailure } from "../../model/backup/rclone-failure";
import { parseBandwidth, s3PartMegabytes } from "../../model/backup/transfer-options";
import { formatDuration, parseDuration } from "../../model/base/units";
import { AgentError } from "../system/errors";
import { stateFolder } from "../system/state-folder";
import { writeFileAtomically } from "../system/atomic-file";
import { repositoryFolder } from "../repository/stored-backup";
import { checkRecipients } from "./encryption";
import { PipelineError, runPipeline, type Stage } from "./pipeline";
import { obscure, rclone, readBackends } from "./rclone";

const ownFolder = path.join(stateFolder, "offsite");
const configName = "rclone.conf";

/** Where rclone buffers uploads it cannot stream; few backends need it. */
const spoolFolder = path.join(repositoryFolder, "spool");

/** The longest timer of Node.js: 24 days. */
const maxTimerMilliseconds = 2 ** 31 - 1;

/** Time limit of a call that transfers no backup, such as a listing, in multiples of the idle timeout. */
const idlePeriods = 20;

/** Timeout for connecting, in seconds. */
const connectSeconds = 15;

/** rclone's options for timeouts and retries; an unresponsive remote is reported after a few times the idle timeout. */
function timeoutOptions(idle: number): string[] {
  const connect = Math.min(connectSeconds, idle);
  const tries = ["--retries", "1", "--low-level-retries", "3"];
  return [...tries, "--contimeout", `${connect}s`, "--timeout", `${idle}s`];
}

/** Saves the rclone configuration of the off-site destination, readable only by the agent; throws an {@link AgentError} when it is not usable. */
export async function saveRemote(settings: OffsiteConfig): Promise<void> {
  await writeRcloneConfig(settings, ownFolder, async () => checkRecipients(settings));
}

/** Runs `work` with a remote that is not this server's own destination; its credentials are deleted afterwards. */
export async function withRemote<T>(
  destination: OffsiteRemote,
  server: string,
  work: (remote: Remote) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "offsite-"));
  try {
    await writeRcloneConfig(destination, folder);
    return await work(new Remote(destination, server, undefined, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeRcloneConfig(
  destination: OffsiteRemote,
  folder: string,
  check?: () => Promise<void>,
): Promise<void> {
  const backends = await readBackends();
  const problems = remoteProblems(destination, backends);
  if (problems.length > 0) throw new AgentError(problems.join("\n"));
  await check?.();
  const name = parseRemote(destination.remote)?.backend;
  const backend = backends.find((backend) => backend.name === name);
  const options = { ...destination.options };
  for (const password of backend ? passwordsAmong(options, backend) : []) {
    options[password] = await obscure(options[password] ?? "");
  }
  const knownHosts = path.join(folder, "known_hosts");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAtomically(knownHosts, `${(destination.options["known_hosts"] ?? "").trim()}\n`);
  const config = renderRcloneConfig({ ...destination, options }, knownHosts);
  await writeFileAtomically(path.join(folder, configName), config);
}

/** Deletes the rclone configuration with all passwords and keys. */
export async function removeRemote(): Promise<void> {
  await rm(ownFolder, { recursive: true, force: true });
}

/** The folder of a server's off-site copies at a remote. */
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

  /** All files in the server's folder, including partial copies. */
  async files(): Promise<RemoteFile[]> {
    const args = ["lsjson", "--files-only", "--no-modtime", "--no-mimetype", this.#path("")];
    try {
      const listed = listSchema.parse(JSON.parse(await this.#outputOf(args)));
      return listed.map(({ Name, Size }) => ({ name: Name, bytes: Size }));
    } catch (error) {
      if (error instanceof RemoteError && error.isAbsence) return [];
      throw error;
    }
  }

  /** The complete copies, oldest first. */
  async copies(): Promise<RemoteCopy[]> {
    return completeCopies(await this.files());
  }

  /** Writes stdin to a file at the remote. `bytes` is its approximate size. */
  write(name: string, bytes: number): Stage {
    return this.#stage(["rcat", ...this.#chunkSize(bytes), this.#path(name)]);
  }

  /** Writes a file at the remote to stdout. */
  read(name: string, onOutput: (chunk: Buffer) => void): Stage {
    return { ...this.#stage(["cat", this.#path(name)]), onOutput };
  }

  /** Renames a file at the remote. */
  async rename(from: string, to: string): Promise<void> {
    // S3 copies the file, so the time depends on its size.
    const move = ["moveto", "--ignore-times", this.#path(from), this.#path(to)];
    await this.#outputOf(move, this.#limit);
  }

  /** Deletes a file at the remote, if it is there. */
  async remove(name: string): Promise<void> {
    try {
      await this.#outputOf(["deletefile", this.#path(name)]);
    } catch (error) {
      if (!(error instanceof RemoteError) || !error.isAbsence) throw error;
      // Where OpenSSH's SFTP server may not delete, rclone says the same of a file that is there.
      if (!(await this.files()).some((file) => file.name === name)) return;
      throw new RemoteError(
        `${this.#settings.remote}: ${name} cannot be deleted: access denied`,
        "denied",
      );
    }
  }

  /** Removes incomplete multipart uploads, which no file listing shows. */
  async cleanUp(): Promise<void> {
    if (this.#backend === "s3" || this.#backend === "b2")
      await this.#outputOf(["cleanup", this.#path("")]);
  }

  /**
   * Runs a pipeline with rclone in it; kills it after `seconds`. Throws a {@link RemoteError} when rclone fails or the
   * time is over.
   */
  async run(stages: readonly Stage[], input = "", seconds = this.#limit): Promise<void> {
    const deadline = AbortSignal.timeout(Math.min(seconds * 1000, maxTimerMilliseconds));
    const signal = AbortSignal.any([deadline, ...(this.#signal ? [this.#signal] : [])]);
    try {
      await runPipeline(stages, { input, signal });
    } catch (error) {
      if (deadline.aborted && error === deadline.reason) {
        const over = `timed out after ${formatDuration(seconds)}`;
        // A remote that is only read from has no limits to raise.
        const keys =
          this.#settings.limit === undefined
            ? ""
            : ", or raise backups.offsite.limit (or backups.offsite.idle if no data was transferred)";
        const fix = `use a faster connection${keys}`;
        throw new RemoteError(`${this.#settings.remote}: ${over}; ${fix}`);
      }
      if (!(error instanceof PipelineError) || error.program !== "rclone") throw error;
      const message = hideSecrets(rcloneFailure(error.stderr), secretsOf(this.#settings));
      throw new RemoteError(`${this.#settings.remote}: ${message}`, reasonOf(error));
    }
  }

  /** Time limit of a transfer, in seconds. */
  get #limit(): number {
    return parseDuration(this.#settings.limit ?? "") ?? maxTimerMilliseconds;
  }

  /** Idle timeout, in seconds. */
  get #idle(): number {
    return parseDuration(this.#settings.idle ?? "") ?? connectSeconds;
  }

  get #backend(): string | undefined {
    return parseRemote(this.#settings.remote)?.backend;
  }

  async #outputOf(
    args: readonly string[],
    seconds = Math.min(this.#limit, idlePeriods * this.#idle),
  ): Promise<string> {
    const chunks: Buffer[] = [];
    const stage: Stage = { ...this.#stage(args), onOutput: (chunk) => chunks.push(chunk) };
    await this.run([stage], "", seconds);
    return Buffer.concat(chunks).toString("utf8");
  }

  #path(name: string): string {
    return `${remoteName}:${joinPath(parseRemote(this.#settings.remote)?.path ?? "", this.#server, name)}`;
  }

  /** For S3, the size of its parts, unless `chunk_size` is set and does. */
  #chunkSize(bytes: number): string[] {
    if (this.#backend !== "s3") return [];
    const megabytes = s3PartMegabytes(bytes, this.#settings.options["chunk_size"]);
    return megabytes === undefined ? [] : ["--s3-chunk-size", `${megabytes}Mi`];
  }

  #stage(args: readonly string[]): Stage {
    const files = ["--config", this.#configFile, "--temp-dir", spoolFolder];
    const bandwidth = parseBandwidth(this.#settings.bandwidth ?? "");
    const limits = bandwidth === undefined ? [] : ["--bwlimit", `${bandwidth}B`];
    return rclone([...files, ...timeoutOptions(this.#idle), ...limits, ...args]);
  }
}

/** A failure of the remote, with a text for operators. */
export class RemoteError extends AgentError {
  constructor(
    message: string,
    private readonly reason?: "absent" | "denied",
  ) {
    super(message);
  }

  /** Whether rclone says that the file or folder does not exist. */
  get isAbsence(): boolean {
    return this.reason === "absent";
  }

  /** Whether the remote does not allow the operation. */
  get isDenied(): boolean {
    return this.reason === "denied";
  }
}

/** Exit status of rclone when a folder does not exist; a file that does not exist has none of its own. */
const notFoundStatus = 3;

function reasonOf({ status, stderr }: PipelineError): "absent" | "denied" | undefined {
  if (isDenial(stderr)) return "denied";
  const isAbsence =
    status === notFoundStatus || /file does not exist|object not found/.test(stderr);
  return isAbsence ? "absent" : undefined;
}

/** Creates an empty spool folder for rclone, and removes it after `work`. */
export async function withSpool<T>(work: () => Promise<T>): Promise<T> {
  await rm(spoolFolder, { recursive: true, force: true });
  await mkdir(spoolFolder, { recursive: true, mode: 0o700 });
  try {
    return await work();
  } finally {
    await rm(spoolFolder, { recursive: true, force: true });
  }
}

/** The secret option values, to be hidden in messages. */
export function secretsOf({ options }: Pick<OffsiteConfig, "options">): string[] {
  return Object.entries(options).flatMap(([name, value]) => (isSecretOption(name) ? [value] : []));
}

const listSchema = z.array(z.object({ Name: z.string(), Size: z.number() }));
