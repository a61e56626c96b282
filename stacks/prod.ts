import { ProductionServer, type StackConfig } from "../components";

/** The live server: never refreshed, restored only when its database is missing. */
export const production = (config: StackConfig): ProductionServer =>
  new ProductionServer("prod", {
    namePrefix: config.namePrefix,
    host: config.host,
    postgres: config.postgres,
    database: { ...config.database, recoverFrom: config.data },
    pgHba: config.pgHba,
    tls: config.tls,
    backups: config.backups,
    application: config.application,
    passwords: config.passwords,
    people: config.people,
  });
