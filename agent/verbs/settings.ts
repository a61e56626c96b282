import { adapter } from "../call";
import { rejectExternal } from "../postgres/external-connection";
import { waitForPostgres } from "../postgres/connect";
import { withOwnDatabase } from "../postgres/own-database";
import { applyParameters } from "../server/parameters/apply";
import { restoreAcceptedRules } from "../server/pg-hba/accepted-rules";

export default adapter("settings", async ({ server, request }) => {
  rejectExternal(server, "parameters are");
  // The first of the server's commands: the others need a PostgreSQL that runs.
  await restoreAcceptedRules();
  await waitForPostgres(120);
  return withOwnDatabase((client) => applyParameters(client, request.settings));
});
