export { Database, type DatabaseArgs, type DatabaseResourceArgs } from "./database";
export { DevelopmentServer, type DevelopmentServerArgs } from "./development-server";
export { readDump, type Dump } from "./machine/dump";
export { PostgresServer, type PostgresServerArgs } from "./postgres-server";
export type { PostgresArgs } from "./postgres-server";
export type { Passwords, RolesArgs } from "./roles-command";
export { ProductionServer, type ProductionServerArgs } from "./production-server";
export type { ServerArgs } from "./server-args";
export { StagingServer, type StagingServerArgs } from "./staging-server";
