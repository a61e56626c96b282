import { inNetwork, parseCidr, parseIp, type Ip } from "./address";

/** A connection attempt: role, database and origin. */
export interface ConnectionAttempt {
  /** The role; assumed to exist. */
  readonly user: string;
  /** The database; ignored for a physical replication connection. */
  readonly database: string;
  /**
   * An IP address; omitted for the Unix socket. If the address is unknown: `samehost` (some address of the server),
   * `samenet` (of its networks) or a host name; these match only rules that cover all such addresses.
   */
  readonly address?: string;
  /** @default false */
  readonly tls?: boolean;
  /** With GSSAPI encryption. @default false */
  readonly gss?: boolean;
  /** Roles that the role is a member of, directly or indirectly. Superusers are not implicit members. @default none */
  readonly roles?: readonly string[];
  /** A physical replication connection, as of replicas and `pg_basebackup`. @default false */
  readonly replication?: boolean;
}

/** Facts about the server that rules depend on. */
export interface ServerEnvironment {
  /** Its addresses with prefix lengths, including loopback: `["127.0.0.1/8", "172.18.0.2/16"]`. @default none */
  readonly interfaces?: readonly string[];
  /** Host name by address, if reverse and forward lookup agree. @default none */
  readonly hostNames?: Readonly<Record<string, string>>;
  /** Direct memberships: the groups of each role. @default none */
  readonly memberships?: Readonly<Record<string, readonly string[]>>;
}

/** A connection attempt with all properties that rules test. */
export interface ResolvedConnection {
  readonly user: string;
  readonly database: string;
  readonly tls: boolean;
  readonly gss: boolean;
  readonly replication: boolean;
  /** All roles that the role is a member of, including itself. */
  readonly roles: ReadonlySet<string>;
  readonly local: boolean;
  readonly ip: Ip | undefined;
  /** Its host name, if known. */
  readonly hostName: string | undefined;
  readonly sameHost: boolean;
  readonly sameNet: boolean;
}

/** Resolves the properties of a connection attempt that rules test: memberships, host name, own networks. */
export function resolveConnection(
  connection: ConnectionAttempt,
  server: ServerEnvironment = {},
): ResolvedConnection {
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

/** The given roles and all roles that they are members of, directly or indirectly. */
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

function hostNameOf(ip: Ip, { hostNames = {} }: ServerEnvironment): string | undefined {
  return Object.entries(hostNames).find(([text]) => parseIp(text)?.join() === ip.join())?.[1];
}
