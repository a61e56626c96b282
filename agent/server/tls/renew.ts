import { isExternal } from "../../postgres/external-connection";
import { waitForPostgres } from "../../postgres/connect";
import { withOwnDatabase } from "../../postgres/own-database";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { renewTls } from "./apply";

/** Renews the certificate when it is due, and logs it; called daily by the agent's main process. */
export async function renewCertificate(server: string): Promise<void> {
  if (isExternal) return;
  try {
    await waitForPostgres(60);
    const lines = await withOwnDatabase((client) => renewTls(client, server));
    for (const line of lines) logLine(line);
  } catch (error) {
    logLine(`cannot renew the server certificate: ${messageOf(error)}`);
  }
}
