/** What the parts of one server are called on its Docker engine. */
export interface EngineNames {
  readonly network: string;
  /** PostgreSQL's data. */
  readonly dataVolume: string;
  /** The folder of PostgreSQL's Unix socket. */
  readonly runVolume: string;
  /** What the agent keeps: dumps it received, logs and reports of restores. */
  readonly agentVolume: string;
  /** The server's backups. PostgreSQL itself cannot reach them. */
  readonly backupsVolume: string;
  /** What PostgreSQL archives as it writes, for a recovery to a point in time. */
  readonly archiveVolume: string;
  readonly postgres: string;
  readonly agent: string;
  /** The application, where the server has one. */
  readonly application: string;
  /** What the application reads: its password, and what it checks the server's certificate with. */
  readonly applicationVolume: string;
}

/** The names of a server's parts: `stagecraft-dev-postgres` and so on. */
export function engineNames(prefix: string, server: string): EngineNames {
  const base = `${prefix}-${server}`;
  return {
    network: base,
    dataVolume: `${base}-data`,
    runVolume: `${base}-run`,
    agentVolume: `${base}-agent`,
    backupsVolume: `${base}-backups`,
    archiveVolume: `${base}-archive`,
    postgres: `${base}-postgres`,
    agent: `${base}-agent`,
    application: `${base}-application`,
    applicationVolume: `${base}-application`,
  };
}

/** Labels on everything that belongs to a server. */
export function engineLabels(prefix: string, server: string): Readonly<Record<string, string>> {
  return { "stagecraft.project": prefix, "stagecraft.server": server };
}
