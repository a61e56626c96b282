import { adapter } from "../call";
import { rejectExternal } from "../postgres/external-connection";
import { waitForPostgres } from "../postgres/connect";
import { withOwnDatabase } from "../postgres/own-database";
import { applyParameters } from "../server/parameters/apply";
import { restoreAcceptedRules } from "../server/pg-hba/accepted-rules";
import { logLine } from "../system/progress";

export default adapter("settings", async ({ server, request }) => {
  rejectExternal(server, "parameters are");
  // The first of the server's commands: the others need a PostgreSQL that runs.
  const restored = await restoreAcceptedRules();
  if (restored !== undefined) logLine(restored);
  await waitForPostgres(120);
  return withOwnDatabase((client) => applyParameters(client, request.settings));
});
