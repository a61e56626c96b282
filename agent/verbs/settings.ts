import type {
  ParametersConfirmed,
  ParametersRequest,
  ParametersResult,
} from "../../model/parameters/protocol";
import { rejectExternal } from "../postgres/external-connection";
import { waitForPostgres, withConnection } from "../postgres/connect";
import { applySettings } from "../server/parameters/apply";
import { confirmSettings } from "../server/parameters/confirm";

/** Puts settings in force, as far as that can be done without a restart. */
export async function ensureSettings({
  server,
  settings,
}: ParametersRequest): Promise<ParametersResult> {
  rejectExternal(server, "settings are");
  await waitForPostgres(60);
  return withConnection("postgres", (client) => applySettings(client, settings));
}

/** Makes sure, after a restart, that settings are in force. */
export async function settingsConfirmed({
  server,
  settings,
}: ParametersRequest): Promise<ParametersConfirmed> {
  rejectExternal(server, "settings are");
  return confirmSettings(settings);
}
