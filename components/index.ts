export {
  Application,
  type ApplicationArgs,
  type ApplicationResourceArgs,
} from "./application/application";
export {
  BackupSchedule,
  type AlertsArgs,
  type BackupJobArgs,
  type BackupScheduleArgs,
  type BackupsArgs,
  type MaintenanceJobArgs,
  type OffsiteArgs,
} from "./backups/backup-schedule";
export type { AddressArgs, ConnectionTlsArgs, SuperuserArgs } from "./postgres/connection-command";
export {
  Database,
  type DatabaseArgs,
  type DatabaseResourceArgs,
  type PrepareArgs,
} from "./contents/database";
export { DevelopmentServer, type DevelopmentServerArgs } from "./servers/development-server";
export type { ExternalPgHbaChoice } from "./access/external-pg-hba";
export { ExternalPostgres, type ExternalPostgresArgs } from "./postgres/external-postgres";
export {
  backupContents,
  offsiteContents,
  readDump,
  type BackupArgs,
  type Contents,
  type Dump,
} from "./contents/dump";
export { PgHba, type PgHbaArgs, type PgHbaChoice } from "./access/pg-hba";
export { PostgresServer, type PostgresServerArgs } from "./postgres/postgres-server";
export type { PostgresArgs } from "./postgres/postgres-server";
export type { Passwords, RolesArgs } from "./access/roles-command";
export { ProductionServer, type ProductionServerArgs } from "./servers/production-server";
export type { ServerArgs } from "./servers/server-args";
export { preparation, type StackConfig } from "./servers/stack-config";
export type { SshArgs } from "./access/ssh";
export type { TlsArgs } from "./access/tls-command";
export { defusePresets } from "../model/defuse/presets";
export type { Defuse, DefuseStatement } from "../model/defuse/statement";
export { mask, type Mask, type Masks } from "../model/masks/mask";
export { presets } from "../model/pg-hba/rule/presets";
export type { PgHbaRule } from "../model/pg-hba/rule/rule";
export type { PostgresParameters as PostgresSettings } from "../model/parameters/typed-parameters";
export { StagingServer, type StagingServerArgs } from "./servers/staging-server";
