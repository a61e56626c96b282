import path from "node:path";

/** PostgreSQL's data folder, which both containers of a server have at the same place. */
export const dataFolder = process.env.PGDATA ?? "/var/lib/postgresql/data/pgdata";

/** Files in PostgreSQL's data folder. `images/stagecraft-postgres` includes the first ones and moves the last ones about. */
export const configFiles = {
  /** PostgreSQL's own file, which includes ours at its end. */
  postgresql: path.join(dataFolder, "postgresql.conf"),
  /** What ALTER SYSTEM writes; it outranks all of ours. */
  alterSystem: path.join(dataFolder, "postgresql.auto.conf"),
  settings: path.join(dataFolder, "stagecraft.conf"),
  tls: path.join(dataFolder, "stagecraft-tls.conf"),
  /** Whether and how PostgreSQL archives what it writes. */
  archive: path.join(dataFolder, "stagecraft-archive.conf"),
  /** The settings of the last start, while newer ones wait for the next. */
  before: path.join(dataFolder, "stagecraft.conf.before"),
  /** Settings that PostgreSQL did not start with. */
  refused: path.join(dataFolder, "stagecraft.conf.refused"),
  /** What PostgreSQL said at a start with new settings. */
  startLog: path.join(dataFolder, "stagecraft-start.log"),
} as const;
