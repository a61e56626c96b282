import { isExternal } from "../../postgres/connection";
import { waitForPostgres, withConnection } from "../../postgres/postgres";
import { messageOf } from "../../system/errors";
import { say } from "../../system/progress";
import { renewTls } from "./tls";

/** Renews the certificate when it is time, and says so; for the agent's main process. */
export async function renewDaily(server: string): Promise<void> {
  if (isExternal) return;
  try {
    await waitForPostgres(60);
    const told = await withConnection("postgres", (client) => renewTls(client, server));
    for (const sentence of told) say(sentence);
  } catch (error) {
    say(`could not see to the server's certificate: ${messageOf(error)}`);
  }
}
