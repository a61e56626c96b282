import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { z } from "zod";
import type { TlsRequest, TlsResult } from "../../../model/tls/protocol";
import { suppliedCertificateWarnings } from "../../../model/tls/renewal";
import { AgentError } from "../../system/errors";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { tlsFolder } from "./authority";
import { factsOf, readCertificate, type CertificatePair } from "./certificate";
import { checkSuppliedCertificate, type SuppliedCertificate } from "./supplied-certificate";
import { installCertificate, installedPair, isTlsOn } from "./install-certificate";
import { ensureSelfIssued } from "./self-issued-certificate";
import { advisoryLocks } from "../../postgres/advisory-locks";
import { waitForLock } from "../../postgres/locks";

/** Advisory lock that serialises changes of the certificate. */
const lock = advisoryLocks.certificate;

/** The last request, for later renewals. */
const requestFile = path.join(tlsFolder, "wanted.json");
const requestSchema = z.strictObject({ names: z.array(z.string()), given: z.boolean() });

/** Applies the requested certificate to PostgreSQL, and stores the request for later renewals. */
export async function applyTls(client: Client, request: TlsRequest): Promise<TlsResult> {
  await waitForLock(client, lock, { holder: "another change of the certificate" });
  const { server, names, certificate, key, ca } = request;
  const isSupplied = certificate !== undefined && key !== undefined;
  const result = isSupplied
    ? await useSupplied(
        client,
        await checkSuppliedCertificate(certificate, key, request),
        ca ?? null,
      )
    : await useSelfIssued(client, server, names);
  await mkdir(tlsFolder, { recursive: true, mode: 0o700 });
  await writeFileAtomically(requestFile, JSON.stringify({ names, given: isSupplied }));
  return result;
}

/**
 * Renews the certificate in use when it is due.
 *
 * @returns Log lines: what was done, or what the user should do.
 */
export async function renewTls(client: Client, server: string): Promise<string[]> {
  const text = await readTextIfExists(requestFile);
  if (text === undefined) return [];
  const { names, given } = requestSchema.parse(JSON.parse(text));
  if (given) {
    const certificate = readCertificate((await installedPair())?.certificate);
    return certificate ? suppliedCertificateWarnings(factsOf(certificate), names, new Date()) : [];
  }
  await waitForLock(client, lock, { holder: "another change of the certificate" });
  const { changed, reason, expires } = await useSelfIssued(client, server, names);
  return changed
    ? [`PostgreSQL has a new certificate, valid until ${expires.slice(0, 10)}: ${reason}`]
    : [];
}

async function useSupplied(
  client: Client,
  { pair, warnings }: SuppliedCertificate,
  ca: string | null,
): Promise<TlsResult> {
  const inUse = await installedPair();
  const isInUse = inUse?.certificate === pair.certificate && inUse.key === pair.key;
  const changed = !isInUse || !(await isTlsOn(client));
  if (changed) await installCertificate(client, pair);
  return {
    ...certificateResult(pair, ca),
    changed,
    reason: changed ? "a certificate was supplied" : "",
    warnings: [...warnings],
  };
}

async function useSelfIssued(
  client: Client,
  server: string,
  names: readonly string[],
): Promise<TlsResult> {
  const inUse = await installedPair();
  const { ca, renewed } = await ensureSelfIssued(server, names, inUse);
  const isOff = !(await isTlsOn(client));
  const pair = renewed?.pair ?? inUse;
  if (!pair) throw new AgentError("there is no certificate; run pulumi up again");
  const changed = renewed !== undefined || isOff;
  if (changed) await installCertificate(client, pair);
  const reason = renewed?.reason ?? (isOff ? "TLS was off" : "");
  return { ...certificateResult(pair, ca), changed, reason, warnings: [] };
}

function certificateResult(
  { certificate }: CertificatePair,
  ca: string | null,
): Pick<TlsResult, "ca" | "expires" | "names"> {
  const read = readCertificate(certificate);
  if (!read) throw new AgentError("the certificate in use cannot be read; run pulumi up again");
  const { names, expires } = factsOf(read);
  return { ca, expires: expires.toISOString(), names: [...names] };
}
