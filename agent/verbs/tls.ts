import type { TlsRequest, TlsResult } from "../../model/tls/protocol";
import { rejectExternal } from "../postgres/external-connection";
import { waitForPostgres, withConnection } from "../postgres/connect";
import { applyTls } from "../server/tls/tls";

/** Sees to the server's certificate and turns TLS on. */
export async function ensureTls(request: TlsRequest): Promise<TlsResult> {
  rejectExternal(request.server, "the certificate is");
  await waitForPostgres(60);
  return withConnection("postgres", (client) => applyTls(client, request));
}
