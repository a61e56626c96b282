import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { AgentError } from "../../system/errors";
import type { CertificatePair } from "./certificate";

const dayMs = 86_400_000;

/** Clocks of clients may be this much behind. */
const clockSkewMs = 3_600_000;

/** What a new certificate is made from. */
export interface CertificateOptions {
  /** Whom it is for, as `model/tls/openssl-config.ts` writes it. */
  readonly config: string;
  readonly days: number;
  /** Who signs it; left out for an authority, which signs itself. */
  readonly signer?: CertificatePair;
  /** A key to keep; left out for a new one on the curve P-256. */
  readonly key?: string;
}

/** Makes a certificate. Keys are passed in files of a folder that nobody else can read. */
export async function createCertificate(order: CertificateOptions): Promise<CertificatePair> {
  const { config, days, signer, key } = order;
  return withTemporaryFolder(async (folder) => {
    const file = (name: string): string => path.join(folder, name);
    const write = async (name: string, text: string): Promise<string> => {
      await writeFile(file(name), text, { mode: 0o600 });
      return file(name);
    };
    const now = Date.now();
    await openssl([
      ...["req", "-x509", "-new", "-sha256", "-noenc", "-config", await write("config", config)],
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
      ...[
        "-not_before",
        opensslTime(now - clockSkewMs),
        "-not_after",
        opensslTime(now + days * dayMs),
      ],
      ...["-out", file("certificate")],
    ]);
    return {
      certificate: await readFile(file("certificate"), "utf8"),
      key: await readFile(file("key"), "utf8"),
    };
  });
}

/**
 * Whether a chain leads from a server's certificate to an authority; what openssl says when it does not.
 *
 * @param ca The authority; left out for those that the system knows.
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
      const said = error instanceof AgentError ? error.message : String(error);
      return /error \d+ at \d+ depth lookup: (.+)/.exec(said)?.[1] ?? said;
    }
  });
}

async function openssl(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)("openssl", args);
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    throw new AgentError(`openssl could not ${args[0] ?? ""}: ${stderr?.trim() ?? String(error)}`, {
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

/** A moment as openssl takes it: `20261122T200000Z` without the `T`. */
function opensslTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, "");
}
