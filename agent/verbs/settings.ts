import { adapter } from "../call";
import { rejectExternal } from "../postgres/external-connection";
import { waitForPostgres } from "../postgres/connect";
import { withOwnDatabase } from "../postgres/own-database";
import { applyParameters } from "../server/parameters/apply";

export default adapter("settings", async ({ server, request }) => {
  rejectExternal(server, "parameters are");
  await waitForPostgres(60);
  return withOwnDatabase((client) => applyParameters(client, request.settings));
});
