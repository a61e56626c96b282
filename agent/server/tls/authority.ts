import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { authorityRenewalReason, validDays } from "../../../model/tls/renewal";
import { authorityConfig } from "../../../model/tls/openssl-config";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { readCertificate, readKey, type CertificatePair } from "./certificate";
import { createCertificate } from "./openssl";

/** What the agent keeps for TLS: never where PostgreSQL or an application can read it. */
export const tlsFolder = path.join(process.env.STAGECRAFT_HOME ?? "/var/lib/stagecraft", "tls");

const folder = path.join(tlsFolder, "authority");
const files = { certificate: path.join(folder, "ca.crt"), key: path.join(folder, "ca.key") };

/** The server's own authority; makes it the first time, and gives it a new certificate, of the same key, in time. */
export async function ensureAuthority(server: string): Promise<CertificatePair> {
  const own = await readAuthority();
  if (!own) return createAuthority(server);
  const expires = readCertificate(own.certificate)?.validTo ?? 0;
  if (authorityRenewalReason(new Date(expires), new Date()) === undefined) return own;
  const order = { config: authorityConfig(server), days: validDays.authority, key: own.key };
  const renewed = await createCertificate(order);
  await writeFileAtomically(files.certificate, renewed.certificate);
  return renewed;
}

/** The authority as it is; `undefined` when there is none, or it is not whole. */
export async function readAuthority(): Promise<CertificatePair | undefined> {
  const [certificate, key] = [
    await readTextIfExists(files.certificate),
    await readTextIfExists(files.key),
  ];
  const privateKey = readKey(key);
  if (certificate === undefined || key === undefined || !privateKey) return undefined;
  return readCertificate(certificate)?.checkPrivateKey(privateKey) === true
    ? { certificate, key }
    : undefined;
}

/** Key and certificate come together, as one folder. */
async function createAuthority(server: string): Promise<CertificatePair> {
  const made = await createCertificate({
    config: authorityConfig(server),
    days: validDays.authority,
  });
  await mkdir(tlsFolder, { recursive: true, mode: 0o700 });
  const partial = await mkdtemp(path.join(tlsFolder, "partial-"));
  await writeFile(path.join(partial, "ca.crt"), made.certificate, { mode: 0o600 });
  await writeFile(path.join(partial, "ca.key"), made.key, { mode: 0o600 });
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  return made;
}
