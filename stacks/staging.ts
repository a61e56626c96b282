import { StagingServer } from "../components";
import { preparationOf } from "./preparation";
import type { StackSettings } from "../program/load-settings";

/** The server where a release is tried out. */
export const staging = (settings: StackSettings): StagingServer =>
  new StagingServer("staging", {
    namePrefix: settings.namePrefix,
    host: settings.host,
    postgres: settings.postgres,
    database: {
      ...settings.database,
      refreshFrom: settings.data, // the line that a refresh changes
      ...preparationOf(settings),
    },
    pgHba: settings.pgHba,
    tls: settings.tls,
    backups: settings.backups,
    application: settings.application,
    passwords: settings.passwords,
    people: settings.people,
  });
