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
import { checkClientCa } from "./client-ca";
import {
  installCertificate,
  installedPair,
  isClientCaInstalled,
  isTlsOn,
  type InstalledPair,
} from "./install-certificate";
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
  const { server, names, certificate, key, ca, clientCa } = request;
  if (clientCa !== undefined) checkClientCa(clientCa);
  const isSupplied = certificate !== undefined && key !== undefined;
  const result = isSupplied
    ? await useSupplied(
        client,
        await checkSuppliedCertificate(certificate, key, request),
        ca ?? null,
        clientCa,
      )
    : await useSelfIssued(client, server, names, clientCa);
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
  const clientCa = (await installedPair())?.clientCa;
  const { changed, reason, expires } = await useSelfIssued(client, server, names, clientCa);
  return changed
    ? [`PostgreSQL has a new certificate, valid until ${expires.slice(0, 10)}: ${reason}`]
    : [];
}

async function useSupplied(
  client: Client,
  { pair, warnings }: SuppliedCertificate,
  ca: string | null,
  clientCa: string | undefined,
): Promise<TlsResult> {
  const inUse = await installedPair();
  const isInUse = inUse?.certificate === pair.certificate && inUse.key === pair.key;
  const isRight = isInUse && (await isTlsOn(client));
  const changed = !isRight || !(await verifiesClients(client, inUse, clientCa));
  if (changed) await installCertificate(client, { ...pair, clientCa });
  return {
    ...certificateResult(pair, ca),
    changed,
    reason: !isRight ? "a certificate was supplied" : changed ? otherClientCa : "",
    warnings: [...warnings],
  };
}

async function useSelfIssued(
  client: Client,
  server: string,
  names: readonly string[],
  clientCa: string | undefined,
): Promise<TlsResult> {
  const inUse = await installedPair();
  const { ca, renewed } = await ensureSelfIssued(server, names, inUse);
  const isOff = !(await isTlsOn(client));
  const pair = renewed?.pair ?? inUse;
  if (!pair) throw new AgentError("there is no certificate; run pulumi up again");
  const isRight = renewed === undefined && !isOff;
  const changed = !isRight || !(await verifiesClients(client, inUse, clientCa));
  if (changed) await installCertificate(client, { ...pair, clientCa });
  const reason = renewed?.reason ?? (isOff ? "TLS was off" : changed ? otherClientCa : "");
  return { ...certificateResult(pair, ca), changed, reason, warnings: [] };
}

const otherClientCa = "the CA of client certificates was changed";

/** Whether PostgreSQL verifies client certificates as requested. */
async function verifiesClients(
  client: Client,
  inUse: InstalledPair | undefined,
  clientCa: string | undefined,
): Promise<boolean> {
  return (
    inUse?.clientCa === clientCa && (await isClientCaInstalled(client)) === (clientCa !== undefined)
  );
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
