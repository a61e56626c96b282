import { isExternal } from "../../postgres/external-connection";
import { waitForPostgres, withConnection } from "../../postgres/connect";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { renewTls } from "./apply";

/** Renews the certificate when it is time, and says so; for the agent's main process. */
export async function renewCertificate(server: string): Promise<void> {
  if (isExternal) return;
  try {
    await waitForPostgres(60);
    const told = await withConnection("postgres", (client) => renewTls(client, server));
    for (const sentence of told) logLine(sentence);
  } catch (error) {
    logLine(`could not see to the server's certificate: ${messageOf(error)}`);
  }
}
