import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { authorityRenewalReason, validDays } from "../../../model/tls/renewal";
import { authorityConfig } from "../../../model/tls/openssl-config";
import { readTextIfExists, writeFileAtomically } from "../../system/atomic-file";
import { readCertificate, readKey, type CertificatePair } from "./certificate";
import { createCertificate } from "./openssl";

/** TLS files of the agent, in its own volume, where neither PostgreSQL nor the application can read them. */
export const tlsFolder = path.join(process.env.STAGECRAFT_HOME ?? "/var/lib/stagecraft", "tls");

const folder = path.join(tlsFolder, "authority");
const files = { certificate: path.join(folder, "ca.crt"), key: path.join(folder, "ca.key") };

/** The server's own authority. Creates it the first time, and renews its certificate, with the same key, before it expires. */
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

/** Reads the authority; `undefined` when it is missing or incomplete. */
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

/** Creates the authority. Key and certificate appear together, by renaming their folder. */
async function createAuthority(server: string): Promise<CertificatePair> {
  const pair = await createCertificate({
    config: authorityConfig(server),
    days: validDays.authority,
  });
  await mkdir(tlsFolder, { recursive: true, mode: 0o700 });
  const partial = await mkdtemp(path.join(tlsFolder, "partial-"));
  await writeFile(path.join(partial, "ca.crt"), pair.certificate, { mode: 0o600 });
  await writeFile(path.join(partial, "ca.key"), pair.key, { mode: 0o600 });
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
  return pair;
}
