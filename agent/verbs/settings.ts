import type {
  SettingsConfirmed,
  SettingsRequest,
  SettingsResult,
} from "../../model/postgres-settings/protocol";
import { refuseExternal } from "../connection";
import { AgentError } from "../errors";
import { waitForPostgres, withConnection } from "../postgres";
import { applySettings } from "../settings/apply";
import { confirmSettings } from "../settings/confirm";

/** Puts settings in force, as far as that can be done without a restart. */
export async function ensureSettings(
  { server, settings }: SettingsRequest,
  own: string,
): Promise<SettingsResult> {
  refuseOthers(server, own);
  refuseExternal(server, "settings are");
  await waitForPostgres(60);
  return withConnection("postgres", (client) => applySettings(client, settings));
}

/** Makes sure, after a restart, that settings are in force. */
export async function settingsConfirmed(
  { server, settings }: SettingsRequest,
  own: string,
): Promise<SettingsConfirmed> {
  refuseOthers(server, own);
  refuseExternal(server, "settings are");
  return confirmSettings(settings);
}

function refuseOthers(server: string, own: string): void {
  if (server === own) return;
  throw new AgentError(
    `the request is for server ${server}, this is ${own}; check the names of the containers`,
  );
}
