import { DevelopmentServer, preparation, type StackConfig } from "../components";
import { defuse } from "./defuse";
import { masks } from "./masks";

/** A developer's own server. */
export const development = (config: StackConfig): DevelopmentServer =>
  new DevelopmentServer("dev", {
    namePrefix: config.namePrefix,
    host: config.host,
    postgres: config.postgres,
    database: {
      ...config.database,
      refreshFrom: config.data,
      ...preparation(config, { masks, defuse }),
    },
    pgHba: config.pgHba,
    tls: config.tls,
    backups: config.backups,
    application: config.application,
    passwords: config.passwords,
    people: config.people,
  });
