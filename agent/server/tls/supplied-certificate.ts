import type { TlsRequest } from "../../../model/tls/protocol";
import { suppliedCertificateWarnings } from "../../../model/tls/renewal";
import { AgentError } from "../../system/errors";
import { factsOf, readCertificate, readKey, type CertificatePair } from "./certificate";
import { chainProblem } from "./openssl";

/** A supplied certificate that has passed the checks. */
export interface SuppliedCertificate {
  readonly pair: CertificatePair;
  readonly warnings: readonly string[];
}

/** Checks a supplied certificate. Throws an {@link AgentError}, which never contains parts of the key. */
export async function checkSuppliedCertificate(
  chain: string,
  keyText: string,
  { names, ca }: Pick<TlsRequest, "names" | "ca">,
): Promise<SuppliedCertificate> {
  const certificate = readCertificate(chain);
  if (!certificate)
    throw new AgentError("tls.certificate cannot be read: it must be a certificate in PEM");
  const key = readKey(keyText);
  if (!key) {
    throw new AgentError(
      "tls.key cannot be read: it must be a private key in PEM, without a passphrase",
    );
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new AgentError(
      "tls.key does not belong to tls.certificate; set both to files that were created together",
    );
  }
  const facts = factsOf(certificate);
  const now = new Date();
  if (facts.expires < now) {
    throw new AgentError(
      `tls.certificate expired on ${formatDay(facts.expires)}; set it to a valid certificate`,
    );
  }
  const validFrom = new Date(certificate.validFrom);
  if (validFrom > now) {
    throw new AgentError(
      `tls.certificate is not valid before ${formatDay(validFrom)}; set it to a valid certificate`,
    );
  }
  const warnings = suppliedCertificateWarnings(facts, names, now);
  const problem = await chainProblem(chain, ca);
  if (problem !== undefined && ca !== undefined) {
    throw new AgentError(
      `tls.certificate has no chain to tls.ca: ${problem}; append the intermediate certificates to tls.certificate`,
    );
  }
  if (problem !== undefined) {
    warnings.push(
      `tls.certificate is from an authority that this system does not trust (${problem}); set tls.ca to the authority's certificate`,
    );
  }
  return { pair: { certificate: chain, key: keyText }, warnings };
}

function formatDay(time: Date): string {
  return time.toISOString().slice(0, 10);
}
