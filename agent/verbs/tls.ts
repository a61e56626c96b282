import { adapter } from "../call";
import { rejectExternal } from "../postgres/external-connection";
import { waitForPostgres } from "../postgres/connect";
import { withOwnDatabase } from "../postgres/own-database";
import { applyTls } from "../server/tls/apply";

export default adapter("tls", async ({ server, request }) => {
  rejectExternal(server, "the certificate is");
  await waitForPostgres(60);
  return withOwnDatabase((client) => applyTls(client, request));
});
