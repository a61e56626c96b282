import { X509Certificate } from "node:crypto";
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { quoteValue } from "../../../model/parameters/render";
import { AgentError } from "../../system/errors";
import { sha256Of } from "../../system/digest";
import { dataFolder, configFiles } from "../parameters/config-files";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { removeFile, withRealFolder } from "../../system/real-folder";
import { readFileState, reloadConfig } from "../parameters/reload";
import { tryConfigFile } from "../parameters/try-config-file";
import { fingerprintOf, type CertificatePair } from "./certificate";
import { servedFingerprint } from "./served-certificate";

/** Folder with one folder per pair, so that PostgreSQL never reads a certificate with another one's key. */
const folder = path.join(dataFolder, "tls");

const pairFiles = ["server.crt", "server.key"] as const;

/** The pair that PostgreSQL uses; `undefined` when Stagecraft has installed none. */
export async function installedPair(): Promise<CertificatePair | undefined> {
  const name = /^ssl_cert_file = '.*\/tls\/([0-9a-f]+)\/server\.crt'$/m.exec(
    (await readTextIfExists(configFiles.tls)) ?? "",
  )?.[1];
  if (name === undefined) return undefined;
  const certificate = await readTextIfExists(path.join(folder, name, "server.crt"));
  const key = await readTextIfExists(path.join(folder, name, "server.key"));
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

/**
 * Makes PostgreSQL use a certificate for new connections; open ones stay open. If PostgreSQL rejects it, the previous
 * configuration is restored and an {@link AgentError} is thrown.
 */
export async function installCertificate(client: Client, pair: CertificatePair): Promise<void> {
  const previous = await readTextIfExists(configFiles.tls);
  const pairFolder = await storePair(pair);
  const desired = render(pairFolder);
  try {
    const rejection = await tryConfigFile(configFiles.tls, desired);
    if (rejection !== undefined) throw rejectedError(rejection);
    await writeFileAtomically(configFiles.tls, desired);
    await reloadConfig(client);
    const { problems } = await readFileState(client, configFiles.tls);
    const problem = problems.join("; ") || (await servedProblem(client, pair.certificate));
    if (problem !== undefined) throw rejectedError(problem);
  } catch (error) {
    if (previous === undefined) await removeFile(configFiles.tls);
    else await writeFileAtomically(configFiles.tls, previous);
    await reloadConfig(client).catch(() => undefined);
    throw error;
  }
  await withRealFolder(folder, async (pinned) => {
    for (const name of await readdir(pinned))
      if (name !== path.basename(pairFolder)) await removePair(pinned, name);
  });
}

/** Whether PostgreSQL offers TLS. */
export async function isTlsOn(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ ssl: string }>("SHOW ssl");
  return rows[0]?.ssl === "on";
}

/** Why PostgreSQL does not serve a certificate; `undefined` when it does. PostgreSQL only logs what it cannot reload. */
async function servedProblem(client: Client, certificate: string): Promise<string | undefined> {
  if (!(await isTlsOn(client))) return "TLS is still off";
  const served = await servedFingerprint();
  if (served === undefined) return undefined;
  if ("problem" in served) return served.problem;
  const desired = fingerprintOf(new X509Certificate(certificate));
  return served.fingerprint === desired ? undefined : "it still serves another one";
}

async function storePair({ certificate, key }: CertificatePair): Promise<string> {
  const name = sha256Of(certificate).slice(0, 16);
  const partial = `${name}.partial`;
  await withRealFolder(dataFolder, async (pinned) =>
    mkdir(path.join(pinned, path.basename(folder)), { mode: 0o700 }),
  ).catch(ignoreExisting);
  return withRealFolder(folder, async (pinned) => {
    await removePair(pinned, partial);
    await mkdir(path.join(pinned, partial), { mode: 0o700 }).catch(ignoreExisting);
    await writeFileAtomically(path.join(folder, partial, "server.crt"), certificate);
    await writeFileAtomically(path.join(folder, partial, "server.key"), key);
    await removePair(pinned, name);
    await rename(path.join(pinned, partial), path.join(pinned, name));
    return path.join(folder, name);
  });
}

/**
 * Removes a pair from the folder, or a file that has its name. Not recursively: while the folders are walked, PostgreSQL's
 * user could replace one of them by a link. A folder with other files in it stays.
 */
async function removePair(pinned: string, name: string): Promise<void> {
  const pair = path.join(folder, name);
  try {
    for (const file of pairFiles) await removeFile(path.join(pair, file));
    await rmdir(path.join(pinned, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof AgentError || code === "ENOTDIR") await rm(path.join(pinned, name));
    else if (code !== "ENOENT" && code !== "ENOTEMPTY") throw error;
  }
}

function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}

function render(pairFolder: string): string {
  const settings = {
    ssl: "on",
    ssl_cert_file: path.join(pairFolder, "server.crt"),
    ssl_key_file: path.join(pairFolder, "server.key"),
    ssl_min_protocol_version: "TLSv1.2",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoteValue(value)}\n`);
  return ["# Written by Stagecraft. Change tls of the stack instead.\n", ...lines].join("");
}

function rejectedError(problem: string): AgentError {
  return new AgentError(
    `PostgreSQL rejects the certificate; the previous configuration stays in effect: ${problem}`,
  );
}
