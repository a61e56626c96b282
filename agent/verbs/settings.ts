import type {
  SettingsConfirmed,
  SettingsRequest,
  SettingsResult,
} from "../../model/parameters/protocol";
import { refuseExternal } from "../postgres/connection";
import { waitForPostgres, withConnection } from "../postgres/postgres";
import { applySettings } from "../server/parameters/apply";
import { confirmSettings } from "../server/parameters/confirm";

/** Puts settings in force, as far as that can be done without a restart. */
export async function ensureSettings({
  server,
  settings,
}: SettingsRequest): Promise<SettingsResult> {
  refuseExternal(server, "settings are");
  await waitForPostgres(60);
  return withConnection("postgres", (client) => applySettings(client, settings));
}

/** Makes sure, after a restart, that settings are in force. */
export async function settingsConfirmed({
  server,
  settings,
}: SettingsRequest): Promise<SettingsConfirmed> {
  refuseExternal(server, "settings are");
  return confirmSettings(settings);
}
