import * as pulumi from "@pulumi/pulumi";
import type { SettingValues } from "../model/postgres-settings/check";
import { peopleWithLogin, peopleWithoutLogin, type People } from "../model/roles/people";
import { rolesDrift } from "../model/roles/drift";
import type { PostgresServer } from "./postgres-server";
import { settingsChange, settingsDrift } from "./settings-command";

/** Says at preview what of a server is not as it should be, what a change of settings takes, and which people get no login. */
export function tellWhatIsFound(
  server: PostgresServer,
  settings: SettingValues,
  people: People = {},
): void {
  for (const text of peopleWithoutLogin(server.kind, people)) void pulumi.log.info(text, server);
  void server.sight.then(({ faults, observation }) => {
    const logins = peopleWithLogin(server.kind, people);
    const drift = observation
      ? [...settingsDrift(observation), ...rolesDrift(observation.roles, logins)]
      : [];
    const change = observation && settingsChange(observation, settings);
    if (change !== undefined) void pulumi.log.info(change, server);
    for (const text of [...faults, ...drift]) void pulumi.log.warn(text, server);
  });
}
