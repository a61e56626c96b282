import type { TlsRequest } from "../../../model/tls/protocol";
import { suppliedCertificateWarnings } from "../../../model/tls/renewal";
import { AgentError } from "../../system/errors";
import { factsOf, readCertificate, readKey, type CertificatePair } from "./certificate";
import { chainProblem } from "./openssl";

/** A certificate that a person gave, found good. */
export interface CustomCertificate {
  readonly pair: CertificatePair;
  readonly warnings: readonly string[];
}

/** Checks a certificate that a person gave. Nothing of a key is ever told. */
export async function checkCustomCertificate(
  chain: string,
  keyText: string,
  { names, ca }: Pick<TlsRequest, "names" | "ca">,
): Promise<CustomCertificate> {
  const certificate = readCertificate(chain);
  if (!certificate)
    throw new AgentError("tls.certificate cannot be read: it is no certificate in PEM");
  const key = readKey(keyText);
  if (!key) {
    throw new AgentError(
      "tls.key cannot be read: it must be a private key in PEM, without a passphrase",
    );
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new AgentError(
      "tls.key does not belong to tls.certificate; give the two that were made together",
    );
  }
  const facts = factsOf(certificate);
  const now = new Date();
  if (facts.expires < now) {
    throw new AgentError(
      `tls.certificate ended on ${formatDay(facts.expires)}; give one that has not`,
    );
  }
  const begins = new Date(certificate.validFrom);
  if (begins > now) {
    throw new AgentError(
      `tls.certificate begins on ${formatDay(begins)}; give one that is good today`,
    );
  }
  const warnings = suppliedCertificateWarnings(facts, names, now);
  const problem = await chainProblem(chain, ca);
  if (problem !== undefined && ca !== undefined) {
    throw new AgentError(
      `tls.certificate does not lead to tls.ca: ${problem}; put the certificates between them behind the server's`,
    );
  }
  if (problem !== undefined) {
    warnings.push(
      `the given certificate is of no authority that this system knows (${problem}); give it as tls.ca`,
    );
  }
  return { pair: { certificate: chain, key: keyText }, warnings };
}

function formatDay(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}
