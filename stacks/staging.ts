import { preparation, StagingServer, type StackConfig } from "../components";
import { defuse } from "./defuse";
import { masks } from "./masks";

/** The server where a release is tested. */
export const staging = (config: StackConfig): StagingServer =>
  new StagingServer("staging", {
    namePrefix: config.namePrefix,
    host: config.host,
    postgres: config.postgres,
    database: {
      ...config.database,
      refreshFrom: config.data, // changed by a refresh
      ...preparation(config, { masks, defuse }),
    },
    pgHba: config.pgHba,
    tls: config.tls,
    backups: config.backups,
    application: config.application,
    passwords: config.passwords,
    people: config.people,
  });
