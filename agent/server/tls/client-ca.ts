import { AgentError } from "../../system/errors";
import { readCertificate } from "./certificate";

/** Checks the CA certificates of `tls.clientCa`. Throws an {@link AgentError} for one that cannot verify a client. */
export function checkClientCa(pem: string): void {
  const certificates =
    pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw new AgentError(`tls.clientCa ${unreadable}`);
  for (const text of certificates) {
    const certificate = readCertificate(text);
    if (!certificate) throw new AgentError(`tls.clientCa ${unreadable}`);
    const subject = certificate.subject.replaceAll("\n", ", ");
    if (!certificate.ca) {
      throw new AgentError(
        `tls.clientCa has the certificate of ${subject}, which is no CA; set it to the certificate of the CA that signs client certificates`,
      );
    }
    const expires = new Date(certificate.validTo);
    if (expires < new Date()) {
      throw new AgentError(
        `tls.clientCa has the certificate of ${subject}, which expired on ${expires.toISOString().slice(0, 10)}; set it to a valid one`,
      );
    }
  }
}

const unreadable = "cannot be read: it must be one or more CA certificates in PEM";
