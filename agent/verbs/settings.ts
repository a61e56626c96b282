import { adapter } from "../call";
import { rejectExternal } from "../postgres/external-connection";
import { waitForPostgres, withConnection } from "../postgres/connect";
import { applyParameters } from "../server/parameters/apply";

export default adapter("settings", async ({ server, request }) => {
  rejectExternal(server, "parameters are");
  await waitForPostgres(60);
  return withConnection("postgres", (client) => applyParameters(client, request.settings));
});
