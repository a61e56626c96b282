import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import ssh2, {
  Client,
  type AnyAuthMethod,
  type ClientErrorExtensions,
  type ServerHostKeyAlgorithm,
} from "ssh2";

/** A connection to another machine, like `ConnectionArgs` of @pulumi/command, with its defaults. */
export interface SshConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  /** As PEM. */
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  readonly agentSocketPath?: string;
  /** A line like `ssh-ed25519 AAAA…`; without one, any host key is accepted. */
  readonly hostKey?: string;
  /** Number of attempts that may fail before the last one; -1 for no limit. */
  readonly dialErrorLimit: number;
  /** Timeout of one attempt in seconds; 0 for none. */
  readonly perDialTimeout: number;
}

/**
 * Preference of host key algorithms in the official plugin, which is that of golang.org/x/crypto/ssh. A host presents the
 * first key that it has, and only that one can be pinned.
 */
const hostKeyAlgorithms: ServerHostKeyAlgorithm[] = [
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-256",
  "rsa-sha2-512",
  "ssh-rsa",
  "ssh-ed25519",
];

const clients = new Set<Client>();

/** Connects with retries at increasing intervals; calls `retrying` before each retry. */
export async function dial(
  to: SshConnection,
  retrying: (text: string) => void,
): Promise<{ readonly client: Client; readonly close: () => void }> {
  const attempt = attempts(to);
  const limit = to.dialErrorLimit;
  for (let failed = 0, pause = 100; ; failed++, pause = Math.min(pause * 1.5, 5000)) {
    try {
      const client = await attempt();
      clients.add(client);
      const close = (): void => {
        clients.delete(client);
        client.end();
      };
      return { client, close };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (limit >= 0 && failed >= limit)
        throw new Error(`after ${String(failed)} failed attempts: ${reason}`, { cause: error });
      const allowed = limit < 0 ? "inf" : String(limit);
      retrying(`Dial ${String(failed + 1)}/${allowed} failed: retrying`);
      await sleep(pause);
    }
  }
}

/** Closes all connections immediately. */
export function closeConnections(): void {
  for (const client of clients) client.destroy();
}

/** Returns a function that makes one attempt to connect. Throws immediately if a key is invalid. */
function attempts(to: SshConnection): () => Promise<Client> {
  const pinned = to.hostKey === undefined ? undefined : parseHostKey(to.hostKey);
  const authHandler = methods(to);
  return async () =>
    new Promise((resolve, reject) => {
      const { host, port, user } = to;
      const client = new Client();
      let mismatch = false;
      const socket = createConnection({ host, port });
      const fail = (reason: string): void => {
        client.destroy();
        socket.destroy();
        reject(new Error(reason));
      };
      const onTimeout = (): void => {
        fail(`dial tcp ${host}:${String(port)}: i/o timeout`);
      };
      const seconds = to.perDialTimeout;
      const timer = seconds > 0 ? setTimeout(onTimeout, seconds * 1000) : undefined;
      client.on("ready", () => {
        clearTimeout(timer);
        resolve(client);
      });
      client.on("error", (error) => {
        clearTimeout(timer);
        fail(mismatch ? "ssh: handshake failed: ssh: host key mismatch" : reasonOf(error, to));
      });
      client.on("close", () => {
        clearTimeout(timer);
        fail("ssh: handshake failed: the connection was closed");
      });
      client.connect({
        sock: socket,
        username: user,
        authHandler,
        readyTimeout: 0,
        algorithms: { serverHostKey: hostKeyAlgorithms },
        ...(to.agentSocketPath !== undefined && { agent: to.agentSocketPath }),
        hostVerifier: (key: Buffer) => {
          mismatch = pinned !== undefined && !pinned.equals(key);
          return !mismatch;
        },
      });
    });
}

/** The bytes of a public key; throws if the text is not one. */
function parseHostKey(text: string): Buffer {
  const parsed = ssh2.utils.parseKey(text.trim());
  if (parsed instanceof Error) throw new Error(`failed to parse host key: ${parsed.message}`);
  return parsed.getPublicSSH();
}

/** Authentication methods in the order of the official plugin. */
function methods(to: SshConnection): AnyAuthMethod[] {
  const { user: username, password, privateKey, privateKeyPassword } = to;
  const agent = to.agentSocketPath ?? process.env["SSH_AUTH_SOCK"] ?? "";
  const ways: AnyAuthMethod[] = [];
  if (privateKey !== undefined) {
    const key = ssh2.utils.parseKey(privateKey, privateKeyPassword);
    if (key instanceof Error) throw new Error(`failed to parse private key: ${key.message}`);
    ways.push({ type: "publickey", username, key });
  }
  if (password !== undefined) {
    ways.push({ type: "password", username, password });
    ways.push({
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        finish(prompts.map(() => password));
      },
    });
  }
  if (agent !== "") ways.push({ type: "agent", username, agent });
  return ways;
}

function reasonOf(error: Error & ClientErrorExtensions, { host, port }: SshConnection): string {
  if (error.level === "client-authentication")
    return "ssh: handshake failed: ssh: unable to authenticate, no supported methods remain";
  if (error.level === "client-socket") return `dial tcp ${host}:${String(port)}: ${error.message}`;
  return `ssh: handshake failed: ${error.message}`;
}
