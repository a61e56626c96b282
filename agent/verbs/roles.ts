import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import type { RolesRequest, RolesResult } from "../../model/protocol";
import { quoteIdentifier as q, quoteLiteral } from "../../model/sql";
import { AgentError } from "../errors";
import { waitForPostgres, withConnection } from "../postgres";

/** Rounds of a verifier, as PostgreSQL makes them by default (`scram_iterations`). */
const iterations = 4096;

/** Makes roles that may log in, with their passwords; one that is there keeps everything but its password. */
export async function ensureRoles(
  { server, roles }: RolesRequest,
  own: string,
): Promise<RolesResult> {
  if (server !== own)
    throw new AgentError(
      `the request is for server ${server}, this is ${own}; check the names of the containers`,
    );
  if (roles.some(({ name }) => name === "postgres"))
    throw new AgentError(
      "postgres must stay without a password: it is the superuser, reached over the socket only; name another role",
    );
  await waitForPostgres(60);
  return withConnection("postgres", async (client) => {
    const result: RolesResult = { created: [], changed: [] };
    for (const { name, password } of roles) {
      const { rows } = await client.query<{ verifier: string | null; login: boolean }>(
        "SELECT rolpassword AS verifier, rolcanlogin AS login FROM pg_authid WHERE rolname = $1",
        [name],
      );
      const [role] = rows;
      if (role?.login === true && matches(role.verifier, password)) continue;
      // Only the verifier travels, so no password can end in PostgreSQL's log.
      const verifier = quoteLiteral(scramVerifier(password, randomBytes(16), iterations));
      await client.query(`${role ? "ALTER" : "CREATE"} ROLE ${q(name)} LOGIN PASSWORD ${verifier}`);
      (role ? result.changed : result.created).push(name);
    }
    return result;
  });
}

/** What PostgreSQL keeps of a password (RFC 5803 in PostgreSQL's notation, RFC 7677). */
export function scramVerifier(password: string, salt: Buffer, rounds: number): string {
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, rounds, 32, "sha256");
  const key = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(key("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${rounds}:${salt.toString("base64")}$${stored}:${key("Server Key").toString("base64")}`;
}

function matches(verifier: string | null, password: string): boolean {
  const parts = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier ?? "");
  if (verifier === null || !parts) return false;
  const again = scramVerifier(password, Buffer.from(parts[2] ?? "", "base64"), Number(parts[1]));
  return (
    again.length === verifier.length && timingSafeEqual(Buffer.from(again), Buffer.from(verifier))
  );
}
