import { execa } from "execa";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { findOnPath } from "../../../tools/folders";
import { versions } from "../../../tools/versions";
import { processOfTest } from "../programs/process";
import { useForFile } from "../run/for-file";
import { until } from "../time/until";
import { testImage } from "./test-image";

/** A machine with Docker and sshd; the set-up of the tests has its base image. */
const dockerfile = `
FROM ${versions.baseImage}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends docker.io docker-cli iptables openssh-server \\
 && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_* \\
 && install -d -m 0700 /run/sshd /root/.ssh \\
 && useradd --create-home --shell /bin/bash guest
CMD ["sh", "-c", "ssh-keygen -A; dockerd >/var/log/dockerd.log 2>&1 & exec /usr/sbin/sshd -D -e -o LogLevel=VERBOSE -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no"]
`;

/** As much as a Docker engine needs in a container; `--privileged` would ask for more than some machines give. */
const rights = [
  ...["--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_PTRACE"],
  ...["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"],
  ...["--security-opt", "systempaths=unconfined"],
  ...["--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup"],
];

/** containerd is the engine's child and dies with it. */
const killScript = "kill -9 $(pidof dockerd); while pidof dockerd; do sleep 0.05; done";

/** Whatever is in another namespace of processes than this machine's own is in a container. */
const killContainersScript = `own=$(readlink /proc/1/ns/pid)
kill -9 $(pidof containerd-shim-runc-v2)
for p in /proc/[0-9]*; do [ "$(readlink $p/ns/pid || echo $own)" = "$own" ] || kill -9 \${p#/proc/}; done`;

/** Starts another machine for the tests of one file, and removes it after them. */
export function useSecondEngine(): SecondEngine {
  return useForFile(new SecondEngine());
}

/** What is wrong with a name that ssh knows the machine by. */
export type HostFault = "closed" | "unknown" | "changed";

/**
 * Another machine, as far as a host can tell: a container with a Docker engine of its own behind sshd with its default
 * limits. ssh knows it by names of its own, through a program `ssh` that stands first on PATH, so that nobody's ~/.ssh is
 * touched.
 */
export class SecondEngine {
  readonly name = `sct-host-${randomBytes(4).toString("hex")}`;
  readonly folder = mkdtempSync(join(tmpdir(), `${this.name}-`));
  /** Of this machine's 127.0.0.1, where its sshd listens. */
  port = "";
  readonly #hosts = new Set<string>();
  readonly #path = process.env["PATH"] ?? "";

  /** Its address; with a fault, a port where nobody listens, or a key that is not known, or another one than is known. */
  host(fault?: HostFault, user = "root"): string {
    const host = `ssh://${user}@${this.name}${fault === undefined ? "" : `-${fault}`}`;
    this.#hosts.add(host);
    return host;
  }

  async start(): Promise<void> {
    const image = await testImage("host", dockerfile);
    const marks = ["--label", `stagecraft.test=${this.name}`];
    await execa("docker", ["volume", "create", ...marks, this.name]);
    await execa("docker", [
      ...["run", "--detach", "--name", this.name, ...marks, ...rights],
      ...["--volume", `${this.name}:/var/lib/docker`, "--publish", "127.0.0.1::22", image],
    ]);
    // Its own keys are there before its engine is.
    await this.untilUp();
    await this.placeKeys();
  }

  /** Makes a key that may log in, and what ssh has to know. */
  private async placeKeys(): Promise<void> {
    const key = await this.makeKey("key");
    const place = "install -d -m 0700 -o $0 ~$0/.ssh && cat >~$0/.ssh/authorized_keys";
    for (const user of ["root", "guest"]) {
      const command = ["exec", "-i", this.name, "bash", "-c", `eval "${place}"`, user];
      await execa("docker", command, { input: key });
    }
    const { stdout: published } = await execa("docker", ["port", this.name, "22/tcp"]);
    this.port = published.split(":").at(-1) ?? "";
    const { stdout: hostKey } = await this.run("cat", "/etc/ssh/ssh_host_ed25519_key.pub");
    const known = (publicKey: string): string => `[127.0.0.1]:${this.port} ${publicKey}\n`;
    writeFileSync(join(this.folder, "known"), known(hostKey));
    writeFileSync(join(this.folder, "changed"), known(await this.makeKey("other")));
    const name = (suffix: string, at: string, knownHosts: string): string =>
      [
        `Host ${this.name}${suffix}`,
        `  HostName 127.0.0.1`,
        `  Port ${at}`,
        `  IdentityFile ${this.folder}/key`,
        `  IdentitiesOnly yes`,
        `  UserKnownHostsFile ${this.folder}/${knownHosts}`,
        "",
      ].join("\n");
    writeFileSync(
      join(this.folder, "config"),
      name("", this.port, "known") +
        name("-closed", "1", "known") +
        name("-unknown", this.port, "none") +
        name("-changed", this.port, "changed"),
    );
    const bin = join(this.folder, "bin");
    mkdirSync(bin);
    const script = `#!/bin/sh\nexec ${findOnPath("ssh") ?? "ssh"} -F ${this.folder}/config "$@"\n`;
    writeFileSync(join(bin, "ssh"), script, { mode: 0o755 });
    process.env["PATH"] = [bin, this.#path].join(delimiter);
  }

  /** Makes a key pair; the public key. */
  private async makeKey(name: string): Promise<string> {
    const path = join(this.folder, name);
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    return readFileSync(`${path}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
  }

  /** Runs a program on that machine, without ssh. */
  async run(...command: readonly string[]) {
    return processOfTest(
      execa("docker", ["exec", this.name, ...command], { reject: false, all: true }),
    );
  }

  /** Runs docker on that machine, without ssh. */
  async docker(...args: readonly string[]) {
    return this.run("docker", ...args);
  }

  /** What PostgreSQL's superuser reads in the database timesheets of a container there. */
  async psql(container: string, sql: string) {
    const command = ["psql", "-h", "/run/postgresql", "-XAtqc", sql, "-d", "timesheets"];
    return this.docker("exec", container, ...command);
  }

  /** Runs docker on that machine with these bytes on its stdin; what it says can be read while it runs. */
  dockerWith(input: string | Uint8Array, ...args: readonly string[]) {
    const command = ["exec", "-i", this.name, "docker", ...args];
    return processOfTest(execa("docker", command, { input, reject: false, all: true }));
  }

  /** Kills its engine without a word: alone, so that containers go on until it is back, or with everything it runs. */
  async killEngine(victims: "alone" | "with its containers"): Promise<void> {
    const script = victims === "alone" ? killScript : `${killScript}; ${killContainersScript}`;
    await this.run("sh", "-c", script);
  }

  /** Starts its engine again, and waits until it answers. */
  async startEngine(): Promise<void> {
    const script = "exec dockerd >>/var/log/dockerd.log 2>&1";
    await execa("docker", ["exec", "--detach", this.name, "sh", "-c", script]);
    await this.untilUp();
  }

  private async untilUp(): Promise<void> {
    const answers = async (): Promise<boolean> => !(await this.docker("version")).failed;
    await until("the engine answers", answers).catch(async (error: unknown) => {
      throw new Error((await this.run("cat", "/var/log/dockerd.log")).all, { cause: error });
    });
  }

  /** Names of all containers, networks and volumes on its engine. */
  async everything(): Promise<string[]> {
    const list = async (...args: readonly string[]): Promise<string[]> =>
      (await this.docker(...args)).stdout.split("\n").filter((name) => name !== "");
    const networks = ["network", "ls", "--filter", "type=custom"];
    const names = await Promise.all([
      list("ps", "--all", "--format", "{{.Names}}"),
      list(...networks, "--format", "{{.Name}}"),
      list("volume", "ls", "--format", "{{.Name}}"),
    ]);
    return names.flat().sort();
  }

  /**
   * How many connections have been let in so far. Those that ssh opened because sshd allows a connection ten sessions at a time
   * (MaxSessions) do not count: how many resources Pulumi's provider creates at once depends on the machine's speed.
   */
  async connections(): Promise<number> {
    const { all } = await execa("docker", ["logs", this.name], { all: true });
    const count = (text: string): number =>
      all.split("\n").filter((line) => line.includes(text)).length;
    return count("Accepted publickey") - count("no more sessions");
  }

  /** Ends the connection that Stagecraft shares, and removes what is left of it. */
  async disconnect(host = this.host()): Promise<void> {
    const shared = join(userInfo().homedir, ".cache/stagecraft/ssh", digest(host));
    await execa("ssh", ["-o", `ControlPath=${shared}`, "-O", "exit", "--", host], {
      reject: false,
    });
    for (const ending of ["lock", "engine"]) rmSync(`${shared}.${ending}`, { force: true });
  }

  /** Takes it away for good, as far as anybody else can tell. */
  async lose(): Promise<void> {
    await execa("docker", ["kill", this.name]);
  }

  /** For a run that is stopped, where nothing waits for the end of a program. */
  removeAtOnce(): void {
    const command = `docker rm --force ${this.name}; docker volume rm --force ${this.name}`;
    spawn("sh", ["-c", command], { detached: true, stdio: "ignore" }).unref();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    for (const host of this.#hosts) await this.disconnect(host);
    await execa("docker", ["rm", "--force", this.name], { reject: false });
    await execa("docker", ["volume", "rm", "--force", this.name], { reject: false });
    process.env["PATH"] = this.#path;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
