import { execa } from "execa";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { versions } from "../../../tools/versions";
import { processOfTest } from "../programs/process";
import { useForFile } from "../run/for-file";
import { until } from "../time/until";
import { testImage } from "./test-image";

const old = "/opt/postgresql-15";

/** A machine with PostgreSQL as Debian installs it and with sshd, and an old PostgreSQL that belongs to no package. */
const dockerfile = `
FROM ${versions.baseImage}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends ca-certificates libgnutls30t64 openssh-server openssl postgresql-common \\
 && sed -i 's/^#\\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \\
 && apt-get install -y --no-install-recommends postgresql-17 \\
 && echo 'deb http://deb.debian.org/debian bookworm main' > /etc/apt/sources.list.d/bookworm.list \\
 && apt-get update && cd /tmp && apt-get download postgresql-15 libicu72 libldap-2.5-0 \\
 && for package in *.deb; do dpkg -x "$package" ${old} && rm "$package"; done \\
 && rm -rf /var/lib/apt/lists/* /etc/apt/sources.list.d/bookworm.list /etc/ssh/ssh_host_* \\
 && install -d -m 0755 /run/sshd && useradd --create-home --shell /bin/bash guest \\
 && pg_createcluster 17 main -- --auth-local=peer --auth-host=scram-sha-256
CMD ["sh", "-c", "ssh-keygen -A; exec /usr/sbin/sshd -D -e -o LogLevel=VERBOSE -o 'AcceptEnv=LC_* PULUMI_COMMAND_*'"]
`;

/** Starts a machine for the tests of one file, and removes it after them. */
export function useOwnMachine(): OwnMachine {
  return useForFile(new OwnMachine());
}

/** A type of key that a machine has. */
export type HostKeyType = "ecdsa" | "ed25519" | "rsa";

/**
 * Somebody's own machine, as far as Stagecraft can tell: a container with sshd, and with PostgreSQL from Debian's package,
 * which is not running yet. The users `postgres` and `guest` log in with {@link privateKey}, guest with a password too.
 */
export class OwnMachine {
  readonly name = `sct-machine-${randomBytes(4).toString("hex")}`;
  readonly password = randomBytes(9).toString("base64url");
  /** Where sshd listens on this machine's 127.0.0.1. */
  sshPort = 0;
  /** Where containers reach it: the address that Docker's bridge has on this machine. */
  address = "";
  /** Its PostgreSQL's port at that address, and that of the old one. */
  readonly ports = { current: 0, old: 0 };
  privateKey = "";
  readonly #folder = mkdtempSync(join(tmpdir(), `${this.name}-`));

  async start(): Promise<void> {
    const image = await testImage("machine", dockerfile);
    const gateway = "{{(index .IPAM.Config 0).Gateway}}";
    const bridge = ["network", "inspect", "bridge", "--format", gateway];
    // Where the engine was never told its bridge's address, it is the first of the network.
    this.address = (await execa("docker", bridge)).stdout.replace("<no value>", "") || "172.17.0.1";
    await execa("docker", [
      ...["run", "--detach", "--name", this.name, "--label", `stagecraft.test=${this.name}`],
      ...["--publish", "127.0.0.1::22", "--publish", `${this.address}::5432`],
      ...["--publish", `${this.address}::5433`, image],
    ]);
    this.sshPort = await this.#port(22);
    this.ports.current = await this.#port(5432);
    this.ports.old = await this.#port(5433);
    await this.#placeKey();
    const listens = async (): Promise<boolean> => (await this.#log()).includes("Server listening");
    await until("sshd listens", listens);
  }

  async #placeKey(): Promise<void> {
    const path = join(this.#folder, "key");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    this.privateKey = readFileSync(path, "utf8");
    const place = `set -e
IFS= read -r key
for user in postgres guest; do
  home=$(getent passwd $user | cut -d: -f6)
  install -d -m 0700 -o $user $home/.ssh
  echo "$key" > $home/.ssh/authorized_keys
  chown $user $home/.ssh/authorized_keys
done
chpasswd`;
    const login = `${readFileSync(`${path}.pub`, "utf8").trim()}\nguest:${this.password}\n`;
    await this.as("root", place, login);
  }

  /** Its public key of a type, as it is pinned. */
  async hostKey(type: HostKeyType = "ecdsa"): Promise<string> {
    const { stdout } = await this.as("root", `cat /etc/ssh/ssh_host_${type}_key.pub`);
    return stdout.split(" ").slice(0, 2).join(" ");
  }

  /** Runs a script on it, without ssh. */
  async as(user: string, script: string, input = "") {
    const command = ["exec", "-i", "--user", user, this.name, "bash", "-euc", script];
    return processOfTest(execa("docker", command, { input }));
  }

  /** What a superuser on the machine itself reads, one line a row. */
  async psql(sql: string): Promise<string> {
    return (await this.as("postgres", "psql -XAtq -v ON_ERROR_STOP=1", sql)).stdout;
  }

  /** Starts PostgreSQL with a certificate for its address, and a superuser; the certificate of its authority. */
  async startPostgres(superuser: string, password: string): Promise<string> {
    const script = `cd /etc/postgresql/17/main && umask 077
openssl req -quiet -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=a CA" -keyout ca.key -out ca.crt -days 3
openssl req -quiet -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=a server" -keyout server.key -out server.csr
printf 'subjectAltName=IP:${this.address}\\n' > names
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names -out server.crt -days 3 2> /dev/null
cat > conf.d/here.conf <<'CONF'
listen_addresses = '*'
fsync = off
ssl_cert_file = '/etc/postgresql/17/main/server.crt'
ssl_key_file = '/etc/postgresql/17/main/server.key'
CONF
echo "hostssl all all samenet scram-sha-256" >> pg_hba.conf
pg_ctlcluster 17 main start
psql -Xq -v ON_ERROR_STOP=1
cat ca.crt`;
    const role = `CREATE ROLE "${superuser}" SUPERUSER LOGIN PASSWORD '${password}';\n`;
    return (await this.as("postgres", script, role)).stdout;
  }

  /** Starts the old PostgreSQL beside it, with the same superuser and without TLS. */
  async startOldPostgres(superuser: string, password: string): Promise<void> {
    const script = `export LD_LIBRARY_PATH=${old}/usr/lib/x86_64-linux-gnu:${old}/usr/lib/aarch64-linux-gnu
export PATH=${old}/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/15
initdb --no-sync --auth-local=peer --auth-host=scram-sha-256 > /dev/null
echo "host all all samenet scram-sha-256" >> $PGDATA/pg_hba.conf
pg_ctl start --wait --silent --log=/tmp/old.log -o "-p 5433 -c listen_addresses=* -c jit=off -k /tmp"
psql -Xq -h /tmp -p 5433 -v ON_ERROR_STOP=1`;
    const role = `CREATE ROLE "${superuser}" SUPERUSER LOGIN PASSWORD '${password}';\n`;
    await this.as("postgres", script, role);
  }

  async #port(inside: number): Promise<number> {
    const { stdout } = await execa("docker", ["port", this.name, `${inside}/tcp`]);
    return Number(stdout.split(":").at(-1));
  }

  async #log(): Promise<string> {
    return (await execa("docker", ["logs", this.name], { all: true })).all;
  }

  /** For a run that is stopped, where nothing waits for the end of a program. */
  removeAtOnce(): void {
    spawn("docker", ["rm", "--force", "--volumes", this.name], {
      detached: true,
      stdio: "ignore",
    }).unref();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await execa("docker", ["rm", "--force", "--volumes", this.name], { reject: false });
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
