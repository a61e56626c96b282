import { execa } from "execa";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { buildGoProgram } from "../../../tools/go-build";
import { sourcesHash } from "../../../tools/sources-hash";
import { buildCached } from "../../../tools/toolchain-cache";
import { versions } from "../../../tools/versions";
import { testImage } from "../engines/test-image";
import { useForFile } from "../run/for-file";
import { docker, label } from "../servers/server";
import { limit, minute, second } from "../time/limit.mjs";
import { until } from "../time/until";

/** A user for each way in which a server of files can behave, with `backups` in its home. */
const dockerfile = `
FROM ${versions.baseImage}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends openssh-server \\
 && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_* \\
 && install -d -m 0755 /run/sshd /srv/s3 \\
 && for user in writer reader rotten keeper; do useradd --create-home $user; done \\
 && useradd --home-dir /full crowded
RUN printf '%s\\n' > /etc/ssh/sshd_config.d/test.conf \\
    'PerSourcePenalties no' 'PasswordAuthentication no' 'AuthorizedKeysFile /etc/ssh/authorized' \\
    'Match User writer,crowded,sealed' '  ForceCommand internal-sftp' \\
    'Match User reader' '  ForceCommand internal-sftp -R' \\
    'Match User keeper' '  ForceCommand internal-sftp -P remove,rename,posix-rename' \\
    'Match User rotten' '  ForceCommand /usr/local/bin/rot' \\
 && printf '%s\\n' > /usr/local/bin/rot '#!/bin/sh' \\
    'for file in backups/*/*.partial; do' \\
    '  if [ -s "$file" ]; then printf rotten | dd of="$file" bs=1 seek=300 conv=notrunc; fi' \\
    'done 2>/dev/null' \\
    'exec /usr/lib/openssh/sftp-server' \\
 && chmod 0755 /usr/local/bin/rot \\
 && useradd --home-dir /sealed sealed
CMD ["sh", "-c", "ssh-keygen -A && ssh-keygen -q -t ed25519 -N '' -f /root/key && cp /root/key.pub /etc/ssh/authorized && exec /usr/sbin/sshd -D -e"]
`;

/** How much fits into the home of the user \`crowded\`. */
const fullSize = "2m";

/**
 * Who comes in by SFTP: one who may write, one who may only read, one without space, one on a read-only disk, one whose
 * files rot, and one who may neither delete nor rename.
 */
export type SftpUser = "writer" | "reader" | "crowded" | "sealed" | "rotten" | "keeper";

/** Who a machine is away from. */
export interface RemotesOptions {
  /** What its name begins with. */
  readonly name: string;
  /** The network it is on from the start. @default the one of that name */
  readonly network?: string;
}

/** A machine away from a server, with a real SFTP server and a real S3 server; removed after the tests of a file. */
export function useRemotes(from: RemotesOptions): Remotes {
  return useForFile(new Remotes(from));
}

/** That machine. Servers on its networks reach it by its name. */
export class Remotes {
  readonly secret = randomBytes(16).toString("hex");
  #key = "";
  #hosts = "";

  constructor(private readonly from: RemotesOptions) {}

  get name(): string {
    return `${this.from.name}-away`;
  }

  async start(): Promise<void> {
    const image = await testImage("away", dockerfile);
    const s3 = await s3Server();
    await docker(
      ...["run", "--detach", "--name", this.name],
      ...["--network", this.from.network ?? this.from.name],
      ...["--label", `${label}=${this.from.name}`],
      ...["--tmpfs", `/full:size=${fullSize},mode=1777`, "--tmpfs", "/sealed:ro", image],
    );
    await docker("cp", s3, `${this.name}:/usr/local/bin/s3`);
    for (const [port, ...more] of [["9000"], ["9001", "--read-only"]] as const) {
      const serve = ["s3", "serve", "s3", "--addr", `:${port}`, ...more];
      const key = ["--auth-key", `stagecraft,${this.secret}`];
      await docker("exec", "--detach", this.name, ...serve, ...key, "/srv/s3");
    }
    const isUp = `until bash -c 'for port in 22 9000 9001; do : < /dev/tcp/127.0.0.1/$port || exit; done'; do sleep 0.1; done`;
    await docker(
      "exec",
      this.name,
      "timeout",
      `${limit(5 * minute) / second}`,
      "sh",
      "-c",
      `${isUp} 2>/dev/null`,
    );
    this.#key = await this.run("cat /root/key");
    const keys = await this.run("cat /etc/ssh/ssh_host_*_key.pub");
    this.#hosts = keys.replaceAll(/^/gm, `${this.name} `);
  }

  /** Puts it on another network, as soon as there is one of that name. */
  async join(network: string): Promise<void> {
    await until(`the network ${network}`, async () => {
      const command = ["network", "connect", network, this.name];
      const { failed, stderr } = await execa("docker", command, { reject: false });
      if (failed && !/not found/i.test(stderr)) throw new Error(stderr);
      return !failed;
    });
  }

  /** Takes it off a network. */
  async leave(network: string): Promise<void> {
    await docker("network", "disconnect", network, this.name);
  }

  async remove(): Promise<void> {
    await execa("docker", ["rm", "--force", this.name], { reject: false });
  }

  /** Begins to remove it, from a process that is about to end. */
  removeAtOnce(): void {
    const options = { detached: true, stdio: "ignore" } as const;
    spawn("docker", ["rm", "--force", this.name], options).unref();
  }

  /** The way to its SFTP server. */
  sftp(user: SftpUser | "stranger" = "writer") {
    const options = { host: this.name, user, key_pem: this.#key, known_hosts: this.#hosts };
    return { remote: "sftp:backups", options };
  }

  /** The way to its S3 server that takes nothing. */
  readOnlyS3() {
    return this.s3({ endpoint: `http://${this.name}:9001` });
  }

  /** The way to its S3 server. */
  s3(more: Readonly<Record<string, string>> = {}) {
    const endpoint = `http://${this.name}:9000`;
    const key = { access_key_id: "stagecraft", secret_access_key: this.secret };
    return { remote: "s3:backups", options: { provider: "Other", endpoint, ...key, ...more } };
  }

  /** Where the files of a remote lie on that machine. */
  folder(remote: "sftp" | "s3", user: SftpUser = "writer"): string {
    return remote === "s3"
      ? "/srv/s3/backups"
      : `${user === "crowded" ? "/full" : `/home/${user}`}/backups`;
  }

  /** Names of all files of a remote, below its folder. */
  async files(remote: "sftp" | "s3", user: SftpUser = "writer"): Promise<string[]> {
    const folder = this.folder(remote, user);
    const found = await this.run(`cd ${folder} 2>/dev/null && find . -type f | sort || true`);
    return found === "" ? [] : found.split("\n").map((name) => name.slice(2));
  }

  /** Runs a command there; what it prints. */
  async run(command: string): Promise<string> {
    return docker("exec", this.name, "sh", "-c", command);
  }

  /** Leaves every connection open and answers nothing, until it goes on. */
  async pause(): Promise<void> {
    // The engine gives up if a process of the container does not freeze at once.
    await until("the machine is frozen", async () =>
      docker("pause", this.name).then(
        () => true,
        () => false,
      ),
    );
  }

  async unpause(): Promise<void> {
    await docker("unpause", this.name);
  }

  /** Waits until a half-made copy is there. */
  async untilPartial(remote: "sftp" | "s3"): Promise<void> {
    const isPartial = (name: string): boolean => name.endsWith(".partial");
    const begun = async (): Promise<boolean> => (await this.files(remote)).some(isPartial);
    await until("an upload has begun", begun, { every: 50 });
  }
}

/** Builds the S3 server, or takes it from the cache. */
async function s3Server(): Promise<string> {
  const folder = join(__dirname, "s3-server");
  const built = await buildCached("s3-server", sourcesHash(folder), (output) =>
    buildGoProgram({ folder, package: "." }, join(output, "s3"), () => undefined),
  );
  return join(built.folder, "s3");
}
