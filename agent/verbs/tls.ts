import { adapter } from "../call";
import { rejectExternal } from "../postgres/external-connection";
import { waitForPostgres, withConnection } from "../postgres/connect";
import { applyTls } from "../server/tls/apply";

export default adapter("tls", async ({ server, request }) => {
  rejectExternal(server, "the certificate is");
  await waitForPostgres(60);
  return withConnection("postgres", (client) => applyTls(client, request));
});
