import type { TlsRequest, TlsResult } from "../../model/tls/protocol";
import { refuseExternal } from "../postgres/connection";
import { waitForPostgres, withConnection } from "../postgres/postgres";
import { applyTls } from "../server/tls/tls";

/** Sees to the server's certificate and turns TLS on. */
export async function ensureTls(request: TlsRequest): Promise<TlsResult> {
  refuseExternal(request.server, "the certificate is");
  await waitForPostgres(60);
  return withConnection("postgres", (client) => applyTls(client, request));
}
