import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import { postgresHostName } from "../../postgres/container";
import { messageOf } from "../../system/errors";

const timeoutMs = 10_000;

/** SSLRequest; PostgreSQL answers with S or N. PostgreSQL manual, 53.2.11. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** SHA-256 of the certificate that PostgreSQL serves, or why it serves none; `undefined` when its host name is not set. */
export async function servedFingerprint(): Promise<
  { readonly fingerprint: string } | { readonly problem: string } | undefined
> {
  if (postgresHostName === undefined) return undefined;
  try {
    return { fingerprint: await readFingerprint(postgresHostName) };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

function readFingerprint(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectPlain({ host, port: 5432 });
    socket.setTimeout(timeoutMs, () => {
      socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
    });
    socket.once("error", reject);
    socket.once("connect", () => socket.write(sslRequest));
    socket.once("data", (answer) => {
      if (answer.toString() !== "S") {
        socket.destroy();
        reject(new Error("TLS is still off"));
        return;
      }
      // The fingerprint identifies the certificate, so its authority need not be verified.
      const secure = connectTls({ socket, rejectUnauthorized: false });
      secure.once("error", reject);
      secure.once("secureConnect", () => {
        resolve(secure.getPeerCertificate().fingerprint256.replaceAll(":", "").toLowerCase());
        secure.destroy();
      });
    });
  });
}
