import { X509Certificate } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { quoteValue } from "../../../model/parameters/render";
import { AgentError } from "../../system/errors";
import { sha256Of } from "../../system/digest";
import { dataFolder, configFiles } from "../parameters/config-files";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { readFileState, reloadConfig } from "../parameters/reload";
import { tryConfigFile } from "../parameters/try-config-file";
import { fingerprintOf, type CertificatePair } from "./certificate";
import { servedFingerprint } from "./served-certificate";

/** Each pair has a folder of its own, so that PostgreSQL never finds the one with the other's key. */
const folder = path.join(dataFolder, "tls");

/** What PostgreSQL uses now; `undefined` when it has no certificate of ours. */
export async function installedPair(): Promise<CertificatePair | undefined> {
  const name = /^ssl_cert_file = '.*\/tls\/([0-9a-f]+)\/server\.crt'$/m.exec(
    (await readTextIfExists(configFiles.tls)) ?? "",
  )?.[1];
  if (name === undefined) return undefined;
  const certificate = await readTextIfExists(path.join(folder, name, "server.crt"));
  const key = await readTextIfExists(path.join(folder, name, "server.key"));
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

/** Lets PostgreSQL use a certificate for connections from now on; open ones go on. What it refuses is not put in place. */
export async function installCertificate(client: Client, pair: CertificatePair): Promise<void> {
  const former = await readTextIfExists(configFiles.tls);
  const place = await storePair(pair);
  const wanted = render(place);
  try {
    const refusal = await tryConfigFile(configFiles.tls, wanted);
    if (refusal !== undefined) throw rejectedError(refusal);
    await writeFileAtomically(configFiles.tls, wanted);
    await reloadConfig(client);
    const { problems } = await readFileState(client, configFiles.tls);
    const problem = problems.join("; ") || (await servedProblem(client, pair.certificate));
    if (problem !== undefined) throw rejectedError(problem);
  } catch (error) {
    if (former === undefined) await rm(configFiles.tls, { force: true });
    else await writeFileAtomically(configFiles.tls, former);
    await reloadConfig(client).catch(() => undefined);
    throw error;
  }
  for (const name of await readdir(folder)) {
    if (name !== path.basename(place)) await rm(path.join(folder, name), { recursive: true });
  }
}

/** Whether PostgreSQL offers TLS. */
export async function isTlsOn(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ ssl: string }>("SHOW ssl");
  return rows[0]?.ssl === "on";
}

/** Why clients do not see a certificate. What PostgreSQL cannot load at a reload it only logs. */
async function servedProblem(client: Client, certificate: string): Promise<string | undefined> {
  if (!(await isTlsOn(client))) return "TLS stays off";
  const served = await servedFingerprint();
  if (served === undefined) return undefined;
  if ("problem" in served) return served.problem;
  const wanted = fingerprintOf(new X509Certificate(certificate));
  return served.fingerprint === wanted ? undefined : "it goes on with another one";
}

async function storePair({ certificate, key }: CertificatePair): Promise<string> {
  const place = path.join(folder, sha256Of(certificate).slice(0, 16));
  const partial = `${place}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  await writeFileAtomically(path.join(partial, "server.crt"), certificate);
  await writeFileAtomically(path.join(partial, "server.key"), key);
  await rm(place, { recursive: true, force: true });
  await rename(partial, place);
  return place;
}

function render(place: string): string {
  const settings = {
    ssl: "on",
    ssl_cert_file: path.join(place, "server.crt"),
    ssl_key_file: path.join(place, "server.key"),
    ssl_min_protocol_version: "TLSv1.2",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoteValue(value)}\n`);
  return ["# Written by Stagecraft. Change tls of the stack instead.\n", ...lines].join("");
}

function rejectedError(words: string): AgentError {
  return new AgentError(`PostgreSQL refuses the certificate, and what was there stays: ${words}`);
}
