/** Names of a server's Docker resources: network, volumes and containers. */
export interface EngineNames {
  readonly network: string;
  /** PostgreSQL's data. */
  readonly dataVolume: string;
  /** Directory of PostgreSQL's Unix socket. */
  readonly runVolume: string;
  /** The agent's files: received dumps, restore logs and reports. */
  readonly agentVolume: string;
  /** The server's backups. Not mounted in PostgreSQL's container. */
  readonly backupsVolume: string;
  /** Archived WAL and base backups, for point-in-time recovery. */
  readonly archiveVolume: string;
  /** Data of the scratch container, which is of no use after its end. */
  readonly scratchVolume: string;
  readonly postgres: string;
  readonly agent: string;
  /** The scratch container: checks files and verifies backups, away from both others. */
  readonly scratch: string;
  /** The application's container, if the server has one. */
  readonly application: string;
  /** Files for the application: its password and the CA certificate of the server. */
  readonly applicationVolume: string;
}

/** Names the Docker resources of a server, e.g. `stagecraft-dev-postgres`. */
export function engineNames(prefix: string, server: string): EngineNames {
  const base = `${prefix}-${server}`;
  return {
    network: base,
    dataVolume: `${base}-data`,
    runVolume: `${base}-run`,
    agentVolume: `${base}-agent`,
    backupsVolume: `${base}-backups`,
    archiveVolume: `${base}-archive`,
    scratchVolume: `${base}-scratch`,
    postgres: `${base}-postgres`,
    agent: `${base}-agent`,
    scratch: `${base}-scratch`,
    application: `${base}-application`,
    applicationVolume: `${base}-application`,
  };
}

/** Docker labels on all resources of a server. */
export function engineLabels(prefix: string, server: string): Readonly<Record<string, string>> {
  return { "stagecraft.project": prefix, "stagecraft.server": server };
}
