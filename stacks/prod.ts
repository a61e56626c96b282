import { ProductionServer } from "../components";
import type { StackSettings } from "../program/load-settings";

/** The server that people work with: it is never refreshed, only recovered when its contents are missing. */
export const production = (settings: StackSettings): ProductionServer =>
  new ProductionServer("prod", {
    namePrefix: settings.namePrefix,
    host: settings.host,
    postgres: settings.postgres,
    database: { ...settings.database, recoverFrom: settings.data },
    pgHba: settings.pgHba,
    tls: settings.tls,
    backups: settings.backups,
    application: settings.application,
    passwords: settings.passwords,
    people: settings.people,
  });
