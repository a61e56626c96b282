import { serverRenewalReason, validDays } from "../../../model/tls/renewal";
import { serverConfig } from "../../../model/tls/openssl-config";
import { ensureAuthority } from "./authority";
import { factsOf, readCertificate, readKey, type CertificatePair } from "./certificate";
import { createCertificate } from "./openssl";

/** A certificate issued by the server's own authority. */
export interface SelfIssuedCertificate {
  /** The authority, in PEM. */
  readonly ca: string;
  /** The new certificate and the reason for it; `undefined` when the one in use stays. */
  readonly renewed: { readonly pair: CertificatePair; readonly reason: string } | undefined;
}

/** Issues a certificate when the one in use lacks a name, expires soon or is unusable. */
export async function ensureSelfIssued(
  server: string,
  names: readonly string[],
  inUse: CertificatePair | undefined,
): Promise<SelfIssuedCertificate> {
  const authority = await ensureAuthority(server);
  const reason = renewalReason(authority.certificate, names, inUse);
  if (reason === undefined) return { ca: authority.certificate, renewed: undefined };
  const pair = await createCertificate({
    config: serverConfig(server, names),
    days: validDays.server,
    signer: authority,
  });
  return { ca: authority.certificate, renewed: { pair, reason } };
}

function renewalReason(
  authority: string,
  names: readonly string[],
  inUse: CertificatePair | undefined,
): string | undefined {
  const certificate = readCertificate(inUse?.certificate);
  const key = readKey(inUse?.key);
  if (!certificate) return "there was none";
  if (!key || !certificate.checkPrivateKey(key)) return "its key is missing";
  const signer = readCertificate(authority);
  if (!signer || !certificate.verify(signer.publicKey)) return "it is from another authority";
  return serverRenewalReason(factsOf(certificate), names, new Date());
}
