export { Application, type ApplicationArgs, type ApplicationResourceArgs } from "./application";
export {
  BackupSchedule,
  type AlertsArgs,
  type BackupJobArgs,
  type BackupScheduleArgs,
  type BackupsArgs,
  type MaintenanceJobArgs,
  type OffsiteArgs,
} from "./backup-schedule";
export type { AddressArgs, ConnectionTlsArgs, SuperuserArgs } from "./connection-command";
export {
  Database,
  type DatabaseArgs,
  type DatabaseResourceArgs,
  type PrepareArgs,
} from "./database";
export { DevelopmentServer, type DevelopmentServerArgs } from "./development-server";
export type { ExternalPgHbaChoice } from "./external-pg-hba";
export { ExternalPostgres, type ExternalPostgresArgs } from "./external-postgres";
export {
  backupContents,
  offsiteContents,
  readDump,
  type BackupArgs,
  type Contents,
  type Dump,
} from "./machine/dump";
export { PgHba, type PgHbaArgs, type PgHbaChoice } from "./pg-hba";
export { PostgresServer, type PostgresServerArgs } from "./postgres-server";
export type { PostgresArgs } from "./postgres-server";
export type { Passwords, RolesArgs } from "./roles-command";
export { ProductionServer, type ProductionServerArgs } from "./production-server";
export type { ServerArgs } from "./server-args";
export type { SshArgs } from "./ssh";
export type { TlsArgs } from "./tls-command";
export { defusePresets } from "../model/defuse/presets";
export type { Defuse, DefuseStatement } from "../model/defuse/statement";
export { mask, type Mask, type Masks } from "../model/masks/mask";
export { presets } from "../model/pg-hba/presets";
export type { PgHbaRule } from "../model/pg-hba/rule";
export type { PostgresSettings } from "../model/postgres-settings/typed";
export { StagingServer, type StagingServerArgs } from "./staging-server";
