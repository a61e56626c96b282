import path from "node:path";

/** PostgreSQL's data directory, which has the same path in both containers of a server. */
export const dataFolder = process.env.PGDATA ?? "/var/lib/postgresql/data/pgdata";

/** Files in PostgreSQL's data directory. `images/stagecraft-postgres` includes the first ones and moves the last ones. */
export const configFiles = {
  /** PostgreSQL's main file, which includes the files of Stagecraft at its end. */
  postgresql: path.join(dataFolder, "postgresql.conf"),
  /** Written by ALTER SYSTEM; overrides all other files. */
  alterSystem: path.join(dataFolder, "postgresql.auto.conf"),
  parameters: path.join(dataFolder, "stagecraft.conf"),
  tls: path.join(dataFolder, "stagecraft-tls.conf"),
  /** WAL archiving. */
  archive: path.join(dataFolder, "stagecraft-archive.conf"),
  /** The parameters of the last start, while newer ones are pending a restart. */
  previous: path.join(dataFolder, "stagecraft.conf.before"),
  /** Parameters with which PostgreSQL did not start. */
  rejected: path.join(dataFolder, "stagecraft.conf.refused"),
  /** PostgreSQL's output of a start with new parameters. */
  startLog: path.join(dataFolder, "stagecraft-start.log"),
} as const;
