import { inNetwork, parseCidr, parseIp, type Ip } from "./address";

/** Who wants to come in, and how. */
export interface Connection {
  /** The role, which is taken to exist. */
  readonly user: string;
  /** The database; of no account for a physical replication connection. */
  readonly database: string;
  /**
   * An IP address; left out for the Unix socket. Where no address is known: `samehost`, `samenet` or a host name, for
   * "some address of the server itself", "of its networks", "of that host"; only what lets all of those in matches them.
   */
  readonly address?: string;
  /** @default false */
  readonly tls?: boolean;
  /** Encrypted by GSSAPI. @default false */
  readonly gss?: boolean;
  /** Roles it is a member of, directly or indirectly. A superuser is not a member of all. */
  readonly roles?: readonly string[];
  /** A physical replication connection, as replicas and `pg_basebackup` make. @default false */
  readonly replication?: boolean;
}

/** What PostgreSQL asks the machine it runs on. */
export interface ServerFacts {
  /** Its addresses with prefix lengths, loopback too: `["127.0.0.1/8", "172.18.0.2/16"]`. @default none */
  readonly interfaces?: readonly string[];
  /** Host name by address, where the look-ups of both agree. @default none */
  readonly hostNames?: Readonly<Record<string, string>>;
  /** Roles by the role that is a direct member of them. @default none */
  readonly memberships?: Readonly<Record<string, readonly string[]>>;
}

/** A connection, ready to be compared with rules. */
export interface Caller {
  readonly user: string;
  readonly database: string;
  readonly tls: boolean;
  readonly gss: boolean;
  readonly replication: boolean;
  /** All roles it is a member of; itself is one. */
  readonly roles: ReadonlySet<string>;
  readonly local: boolean;
  readonly ip: Ip | undefined;
  /** Its host name, where one is known. */
  readonly hostName: string | undefined;
  readonly sameHost: boolean;
  readonly sameNet: boolean;
}

/** Finds out what the rules ask about a connection. */
export function callerOf(connection: Connection, server: ServerFacts = {}): Caller {
  const { user, database, address, tls = false, gss = false, replication = false } = connection;
  const roles = membershipsOf([user, ...(connection.roles ?? [])], server.memberships ?? {});
  const basics = { user, database, tls, gss, replication, roles, local: address === undefined };
  const ip = address === undefined ? undefined : parseIp(address);
  if (!ip) {
    const sameHost = address === "samehost";
    const sameNet = sameHost || address === "samenet";
    return { ...basics, ip, hostName: sameNet ? undefined : address, sameHost, sameNet };
  }
  const interfaces = (server.interfaces ?? []).flatMap((text) => parseCidr(text) ?? []);
  const sameHost = interfaces.some(({ base }) => base.join() === ip.join());
  const sameNet = interfaces.some((network) => inNetwork(ip, network));
  return { ...basics, ip, hostName: hostNameOf(ip, server), sameHost, sameNet };
}

/** The roles that some roles are members of, directly or through others, with themselves. */
function membershipsOf(
  roles: readonly string[],
  direct: Readonly<Record<string, readonly string[]>>,
): ReadonlySet<string> {
  const all = new Set(roles);
  for (const role of all) {
    for (const group of Object.hasOwn(direct, role) ? (direct[role] ?? []) : []) all.add(group);
  }
  return all;
}

function hostNameOf(ip: Ip, { hostNames = {} }: ServerFacts): string | undefined {
  return Object.entries(hostNames).find(([text]) => parseIp(text)?.join() === ip.join())?.[1];
}
