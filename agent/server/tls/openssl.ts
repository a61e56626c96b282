import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { AgentError } from "../../system/errors";
import type { CertificatePair } from "./certificate";

const dayMs = 86_400_000;

/** A certificate is valid from this much before its creation, for clients whose clock is behind. */
const clockSkewMs = 3_600_000;

/** Options of {@link createCertificate}. */
export interface CertificateOptions {
  /** OpenSSL configuration with subject and names, see `model/tls/openssl-config.ts`. */
  readonly config: string;
  readonly days: number;
  /** The authority that signs it. @default self-signed */
  readonly signer?: CertificatePair;
  /** Existing private key. @default a new key on the curve P-256 */
  readonly key?: string;
}

/** Creates a certificate. Keys are passed to openssl in files of a private temporary folder. */
export async function createCertificate(options: CertificateOptions): Promise<CertificatePair> {
  const { config, days, signer, key } = options;
  return withTemporaryFolder(async (folder) => {
    const file = (name: string): string => path.join(folder, name);
    const write = async (name: string, text: string): Promise<string> => {
      await writeFile(file(name), text, { mode: 0o600 });
      return file(name);
    };
    const now = Date.now();
    await openssl([
      "req",
      "-x509",
      "-new",
      "-sha256",
      "-noenc",
      "-config",
      await write("config", config),
      ...(key === undefined
        ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", file("key")]
        : ["-key", await write("key", key)]),
      ...(signer
        ? [
            "-CA",
            await write("ca", signer.certificate),
            "-CAkey",
            await write("ca-key", signer.key),
          ]
        : []),
      "-not_before",
      opensslTime(now - clockSkewMs),
      "-not_after",
      opensslTime(now + days * dayMs),
      "-out",
      file("certificate"),
    ]);
    return {
      certificate: await readFile(file("certificate"), "utf8"),
      key: await readFile(file("key"), "utf8"),
    };
  });
}

/**
 * Verifies the chain of a server's certificate. Returns openssl's error; `undefined` when it is valid.
 *
 * @param ca The authority. @default the system's trusted authorities
 */
export async function chainProblem(chain: string, ca?: string): Promise<string | undefined> {
  return withTemporaryFolder(async (folder) => {
    const chainFile = path.join(folder, "chain");
    const caFile = path.join(folder, "ca");
    await writeFile(chainFile, chain);
    await writeFile(caFile, ca ?? "");
    const trust = ca === undefined ? [] : ["-no-CApath", "-no-CAstore", "-CAfile", caFile];
    try {
      await openssl([
        "verify",
        "-purpose",
        "sslserver",
        ...trust,
        "-untrusted",
        chainFile,
        chainFile,
      ]);
      return undefined;
    } catch (error) {
      const message = error instanceof AgentError ? error.message : String(error);
      return /error \d+ at \d+ depth lookup: (.+)/.exec(message)?.[1] ?? message;
    }
  });
}

async function openssl(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)("openssl", args);
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    throw new AgentError(`openssl ${args[0] ?? ""} failed: ${stderr?.trim() ?? String(error)}`, {
      cause: error,
    });
  }
}

async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "certificate-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A time in openssl's format: `20261122200000Z`. */
function opensslTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, "");
}
