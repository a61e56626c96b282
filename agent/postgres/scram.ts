import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { preparedPassword } from "../../model/roles/password";

/** Iterations of a verifier, PostgreSQL's default (`scram_iterations`). */
const iterations = 4096;

/** SCRAM verifier that PostgreSQL stores for a password (RFC 5803 in PostgreSQL's notation, RFC 7677). */
export function scramVerifier(
  password: string,
  salt: Buffer = randomBytes(16),
  rounds = iterations,
): string {
  const salted = pbkdf2Sync(preparedPassword(password), salt, rounds, 32, "sha256");
  const key = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(key("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${rounds}:${salt.toString("base64")}$${stored}:${key("Server Key").toString("base64")}`;
}

/** Whether a verifier belongs to a password. */
export function isVerifierOf(verifier: string | null, password: string): boolean {
  const parts = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier ?? "");
  if (verifier === null || !parts) return false;
  const expected = scramVerifier(password, Buffer.from(parts[2] ?? "", "base64"), Number(parts[1]));
  return (
    expected.length === verifier.length &&
    timingSafeEqual(Buffer.from(expected), Buffer.from(verifier))
  );
}
