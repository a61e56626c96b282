import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { processOfTest } from "../programs/process";
import { until } from "../time/until";
import { expect } from "vitest";
import { ensureServerImage } from "../../../cli/server/server-image";
import type { ConnectionRequest } from "../../../model/connection/protocol";
import { docker, label, TestServer, use, type CommandResult } from "./server";
import { checkout } from "../files/checkout";

/** A PostgreSQL that Stagecraft has not made, and an agent that reaches it by its address alone. */
export function useExternalServer(): ExternalTestServer {
  return use(new ExternalTestServer());
}

/** Its superuser, who is not called postgres. */
export const boss = "the boss";

/** The name in its certificate. */
export const address = "db.example";

// Other certificates, rules and settings than Stagecraft would give it.
const setUp = `set -eu
mkdir -p "$PGDATA/certificates" && cd "$PGDATA/certificates"
openssl req -quiet -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=a CA" -keyout ca.key -out ca.crt -days 3
openssl req -quiet -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=${address}" -keyout server.key -out server.csr
printf 'subjectAltName=DNS:${address}\\n' > names
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names -out server.crt -days 3 2> /dev/null
chmod 600 server.key
cat > "$PGDATA/pg_hba.conf" <<'RULES'
# somebody else's rules
local all postgres peer
host all all samenet scram-sha-256
RULES
IFS= read -r password
psql -qX -v ON_ERROR_STOP=1 -U postgres <<SQL
ALTER SYSTEM SET ssl = on;
ALTER SYSTEM SET ssl_cert_file = '$PGDATA/certificates/server.crt';
ALTER SYSTEM SET ssl_key_file = '$PGDATA/certificates/server.key';
ALTER SYSTEM SET log_statement = 'all';
CREATE ROLE "${boss}" SUPERUSER LOGIN PASSWORD '\${password//\\'/\\'\\'}';
SELECT pg_reload_conf();
SQL
cat ca.crt`;

export class ExternalTestServer extends TestServer {
  /** With what a password file must escape. */
  readonly password = `it's : a \\ secret ${randomBytes(6).toString("hex")}`;
  /** The certificate of its authority. */
  ca = "";

  override async start(): Promise<void> {
    const { tag } = await ensureServerImage(checkout, () => undefined);
    const marks = ["--label", `${label}=${this.name}`];
    const [data = "", run = "", agent = "", backups = ""] = this.volumes;
    await docker("network", "create", ...marks, this.name);
    for (const volume of this.volumes) await docker("volume", "create", ...marks, volume);
    const common = [
      ["run", "--detach", "--network", this.name, ...marks, "--read-only", "--tmpfs", "/tmp"],
      ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    ].flat();
    await docker(
      ...[...common, "--name", this.postgres, "--network-alias", address],
      ...["--volume", `${data}:/var/lib/postgresql/data`, "--volume", `${run}:/run/postgresql`],
      ...["--stop-signal", "SIGINT", tag, "stagecraft-postgres", "fsync=off"],
    );
    await this.startScratch(tag);
    await docker(
      ...[...common, "--name", this.agentContainer, "--env", `STAGECRAFT_SERVER=${this.name}`],
      ...["--env", "STAGECRAFT_KIND=development", "--env", "STAGECRAFT_COUPLING=external"],
      ...["--volume", `${agent}:/var/lib/stagecraft`],
      ...["--volume", `${backups}:/var/backups/stagecraft`],
      ...["--volume", `${this.volume("scratch")}:/var/lib/scratch:ro`],
      ...[tag, "stagecraft-agent", "serve"],
    );
    await this.#waitUntilItAnswers();
    const made = await this.onItsMachine(["bash", "-c", setUp], `${this.password}\n`);
    expect(made.status, made.stderr).toBe(0);
    this.ca = made.stdout.slice(made.stdout.indexOf("-----BEGIN"));
  }

  async #waitUntilItAnswers(): Promise<void> {
    // Not by its socket alone, because it may be the one of its making.
    const isReady = ["pg_isready", "-q", "-h", "127.0.0.1"];
    await until("PostgreSQL answers", async () => (await this.onItsMachine(isReady)).status === 0);
  }

  /** Tells the agent where the server is. */
  async connectAgent(more: Partial<ConnectionRequest> = {}): Promise<CommandResult> {
    return this.agent(["connection"], {
      ...{ server: this.name, host: address, port: 5432, user: boss, password: this.password },
      ...{ ca: this.ca, sslmode: "verify-full", ...more },
    });
  }

  /** Runs SQL where the server is, as its first superuser. */
  override async trySql(database: string, text: string): Promise<CommandResult> {
    const psql = ["psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-U", "postgres"];
    return this.onItsMachine([...psql, "-d", database], text);
  }

  /** Runs a program where the server is. */
  async onItsMachine(command: readonly string[], stdin = ""): Promise<CommandResult> {
    const { exitCode, stdout, stderr } = await processOfTest(
      execa("docker", ["exec", "-i", this.postgres, ...command], {
        input: stdin,
        reject: false,
        stripFinalNewline: false,
        maxBuffer: 2 ** 30,
      }),
    );
    return { status: exitCode ?? -1, stdout, stderr };
  }

  /** A dump of one of its databases. */
  override async dump(database: string, ...args: readonly string[]): Promise<Buffer> {
    const { stdout } = await execa(
      "docker",
      ["exec", this.postgres, "pg_dump", "-U", "postgres", ...args, database],
      { encoding: "buffer", stripFinalNewline: false },
    );
    return Buffer.from(stdout);
  }
}
