import type { TlsRequest, TlsResult } from "../../model/tls/protocol";
import { isExternal, refuseExternal } from "../postgres/connection";
import { messageOf } from "../system/errors";
import { waitForPostgres, withConnection } from "../postgres/postgres";
import { say } from "../system/progress";
import { applyTls, renewTls } from "../server/tls/tls";

/** Sees to the server's certificate and turns TLS on. */
export async function ensureTls(request: TlsRequest): Promise<TlsResult> {
  refuseExternal(request.server, "the certificate is");
  await waitForPostgres(60);
  return withConnection("postgres", (client) => applyTls(client, request));
}

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
