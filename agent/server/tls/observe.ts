import type { Client } from "pg";
import type { TlsObservation } from "../../../model/tls/protocol";
import { isExternal } from "../../postgres/external-connection";
import { readAuthority } from "./authority";
import { factsOf, fingerprintOf, readCertificate } from "./certificate";
import { installedPair, isClientCaInstalled, isTlsOn } from "./install-certificate";

/** Observes TLS; read-only. */
export async function observeTls(client: Client): Promise<TlsObservation> {
  const on = await isTlsOn(client);
  if (isExternal) return { on, fingerprint: null, expires: null, names: [], given: true };
  const certificate = readCertificate((await installedPair())?.certificate);
  if (!certificate)
    return { on, fingerprint: null, expires: null, names: [], given: false, clientCa: false };
  const authority = readCertificate((await readAuthority())?.certificate);
  const { names, expires } = factsOf(certificate);
  return {
    on,
    fingerprint: fingerprintOf(certificate),
    expires: expires.toISOString(),
    names: [...names],
    given: !authority || !certificate.verify(authority.publicKey),
    clientCa: await isClientCaInstalled(client),
  };
}
