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

const pairFiles = ["server.crt", "server.key", "client-ca.crt"] as const;

/** A certificate with its key, and what PostgreSQL verifies client certificates with. */
export interface InstalledPair extends CertificatePair {
  /** The CA certificates, in PEM; `undefined` if PostgreSQL asks for no client certificate. */
  readonly clientCa: string | undefined;
}

/** The pair that PostgreSQL uses; `undefined` when Stagecraft has installed none. */
export async function installedPair(): Promise<InstalledPair | undefined> {
  const name = /^ssl_cert_file = '.*\/tls\/([0-9a-f]+)\/server\.crt'$/m.exec(
    (await readTextIfExists(configFiles.tls)) ?? "",
  )?.[1];
  if (name === undefined) return undefined;
  const certificate = await readTextIfExists(path.join(folder, name, "server.crt"));
  const key = await readTextIfExists(path.join(folder, name, "server.key"));
  if (certificate === undefined || key === undefined) return undefined;
  const clientCa = await readTextIfExists(path.join(folder, name, "client-ca.crt"));
  return { certificate, key, clientCa };
}

/**
 * Makes PostgreSQL use a certificate for new connections; open ones stay open. If PostgreSQL rejects it, the previous
 * configuration is restored and an {@link AgentError} is thrown.
 */
export async function installCertificate(client: Client, pair: InstalledPair): Promise<void> {
  const previous = await readTextIfExists(configFiles.tls);
  const pairFolder = await storePair(pair);
  const desired = render(pairFolder, pair.clientCa !== undefined);
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

/** Whether PostgreSQL verifies client certificates with the CA that was installed, unchanged. */
export async function isClientCaInstalled(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ ssl_ca_file: string }>("SHOW ssl_ca_file");
  const file = rows[0]?.ssl_ca_file;
  const pair = await installedPair();
  return pair?.clientCa !== undefined && file === path.join(folder, nameOf(pair), "client-ca.crt");
}

/** Name of a pair's folder. A changed CA gives another one, as a changed certificate does. */
function nameOf({ certificate, clientCa = "" }: InstalledPair): string {
  return sha256Of(certificate + clientCa).slice(0, 16);
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

async function storePair(pair: InstalledPair): Promise<string> {
  const { certificate, key, clientCa } = pair;
  const name = nameOf(pair);
  const partial = `${name}.partial`;
  await withRealFolder(dataFolder, async (pinned) =>
    mkdir(path.join(pinned, path.basename(folder)), { mode: 0o700 }),
  ).catch(ignoreExisting);
  return withRealFolder(folder, async (pinned) => {
    await removePair(pinned, partial);
    await mkdir(path.join(pinned, partial), { mode: 0o700 }).catch(ignoreExisting);
    await writeFileAtomically(path.join(folder, partial, "server.crt"), certificate);
    await writeFileAtomically(path.join(folder, partial, "server.key"), key);
    if (clientCa !== undefined)
      await writeFileAtomically(path.join(folder, partial, "client-ca.crt"), clientCa);
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

function render(pairFolder: string, verifiesClients: boolean): string {
  const settings = {
    ssl: "on",
    ssl_cert_file: path.join(pairFolder, "server.crt"),
    ssl_key_file: path.join(pairFolder, "server.key"),
    ...(verifiesClients && { ssl_ca_file: path.join(pairFolder, "client-ca.crt") }),
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
