import { DevelopmentServer } from "../components";
import { preparationOf } from "./preparation";
import type { StackSettings } from "../program/load-settings";

/** A developer's own server. */
export const development = (settings: StackSettings): DevelopmentServer =>
  new DevelopmentServer("dev", {
    namePrefix: settings.namePrefix,
    host: settings.host,
    postgres: settings.postgres,
    database: { ...settings.database, refreshFrom: settings.data, ...preparationOf(settings) },
    pgHba: settings.pgHba,
    tls: settings.tls,
    backups: settings.backups,
    application: settings.application,
    passwords: settings.passwords,
    people: settings.people,
  });
