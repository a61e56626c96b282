import type {
  SettingsConfirmed,
  SettingsRequest,
  SettingsResult,
} from "../../model/postgres-settings/protocol";
import { refuseExternal } from "../connection";
import { waitForPostgres, withConnection } from "../postgres";
import { applySettings } from "../settings/apply";
import { confirmSettings } from "../settings/confirm";

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
