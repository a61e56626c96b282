import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { z } from "zod";
import type { TlsRequest, TlsResult } from "../../../model/tls/protocol";
import { givenWarnings } from "../../../model/tls/renewal";
import { AgentError } from "../../system/errors";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { tlsStore } from "./authority";
import { factsOf, readCertificate, type CertificatePair } from "./certificate";
import { checkGiven, type GivenCertificate } from "./custom";
import { install, installedPair, isTlsOn } from "./install";
import { ensureOwn } from "./self-issued";
import { advisoryLocks } from "../../postgres/advisory-locks";

/** Advisory lock that changes of the certificate hold: one at a time. */
const lock = advisoryLocks.certificate;

/** What was asked for last, for the renewals in between. */
const wantedFile = path.join(tlsStore, "wanted.json");
const wantedSchema = z.strictObject({ names: z.array(z.string()), given: z.boolean() });

/** Lets PostgreSQL have the certificate that is asked for, and keeps it when it has. */
export async function applyTls(client: Client, request: TlsRequest): Promise<TlsResult> {
  await client.query("SELECT pg_advisory_lock($1)", [lock]);
  const { server, names, certificate, key, ca } = request;
  const isGiven = certificate !== undefined && key !== undefined;
  const result = isGiven
    ? await useGiven(client, await checkGiven(certificate, key, request), ca ?? null)
    : await useOwn(client, server, names);
  await mkdir(tlsStore, { recursive: true, mode: 0o700 });
  await writeFileAtomically(wantedFile, JSON.stringify({ names, given: isGiven }));
  return result;
}

/**
 * Renews the certificate in use, when it is time.
 *
 * @returns Sentences for people: what was done, or what they should do.
 */
export async function renewTls(client: Client, server: string): Promise<string[]> {
  const text = await readTextIfExists(wantedFile);
  if (text === undefined) return [];
  const { names, given } = wantedSchema.parse(JSON.parse(text));
  if (given) {
    const certificate = readCertificate((await installedPair())?.certificate);
    return certificate ? givenWarnings(factsOf(certificate), names, new Date()) : [];
  }
  await client.query("SELECT pg_advisory_lock($1)", [lock]);
  const { changed, reason, expires } = await useOwn(client, server, names);
  return changed
    ? [`PostgreSQL has a new certificate until ${expires.slice(0, 10)}: ${reason}`]
    : [];
}

async function useGiven(
  client: Client,
  { pair, warnings }: GivenCertificate,
  ca: string | null,
): Promise<TlsResult> {
  const inUse = await installedPair();
  const isInUse = inUse?.certificate === pair.certificate && inUse.key === pair.key;
  const changed = !isInUse || !(await isTlsOn(client));
  if (changed) await install(client, pair);
  return {
    ...told(pair, ca),
    changed,
    reason: changed ? "it was given" : "",
    warnings: [...warnings],
  };
}

async function useOwn(
  client: Client,
  server: string,
  names: readonly string[],
): Promise<TlsResult> {
  const inUse = await installedPair();
  const { ca, renewed } = await ensureOwn(server, names, inUse);
  const isOff = !(await isTlsOn(client));
  const pair = renewed?.pair ?? inUse;
  if (!pair) throw new AgentError("there is no certificate; run pulumi up again");
  const changed = renewed !== undefined || isOff;
  if (changed) await install(client, pair);
  const reason = renewed?.reason ?? (isOff ? "TLS was off" : "");
  return { ...told(pair, ca), changed, reason, warnings: [] };
}

function told(
  { certificate }: CertificatePair,
  ca: string | null,
): Pick<TlsResult, "ca" | "expires" | "names"> {
  const read = readCertificate(certificate);
  if (!read) throw new AgentError("the certificate in use cannot be read; run pulumi up again");
  const { names, expires } = factsOf(read);
  return { ca, expires: expires.toISOString(), names: [...names] };
}
