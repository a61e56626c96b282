import { parseCidr, parseIp, type Network } from "../rule/address";
import { resolveConnection, type ServerEnvironment } from "../rule/connection-attempt";
import { whoCan } from "../rule/evaluate";
import type { RequiredAccess } from "./finding";
import { matchesNames } from "../rule/match";
import type { AuthMethod, PgHbaRule } from "../rule/rule";
import { edgesInside, edgeAddresses, edgesOutside } from "./edge-addresses";

/** A role and database: a row of the matrix. */
export interface AccessSubject {
  /** Display name, e.g. `app`, `readonly`. */
  readonly name: string;
  readonly user: string;
  readonly database: string;
  readonly roles?: readonly string[];
  /** @default false */
  readonly replication?: boolean;
  /** How its row is titled, e.g. `ada, DbAdmin`. @default its name */
  readonly title?: string;
  /** What it may do in the database, a sentence to follow the title. @default not shown */
  readonly rights?: string;
}

/** A source of connections: a column of the matrix. */
export interface AccessSource {
  /** Display name, e.g. `application`, `office`. */
  readonly name: string;
  /** A network, an address, `samenet` or a host name; omitted for the Unix socket. */
  readonly address?: string;
}

/** Rows and columns of the matrix. A last column "everyone else" is added automatically. */
export interface AccessScope {
  readonly subjects: readonly AccessSubject[];
  readonly networks: readonly AccessSource[];
  /** Connections that must work. @default none */
  readonly required?: readonly RequiredAccess[];
  readonly server?: ServerEnvironment;
}

/** The authentication methods for one subject at one address, with and without TLS. */
interface AddressAccess {
  readonly tls: AuthMethod;
  readonly plain: AuthMethod;
}

/** One row: a subject and its access from every column. */
export interface MatrixRow {
  readonly subject: AccessSubject;
  /** `scram, TLS`, `rejected`, `partly scram`. */
  readonly cells: readonly string[];
}

export interface AccessMatrix {
  readonly columns: readonly AccessSource[];
  readonly rows: readonly MatrixRow[];
}

/** A subject that gains or loses access from a source, or needs another method. */
export interface AccessChange {
  readonly subject: AccessSubject;
  readonly origin: AccessSource;
  readonly change: "gains" | "loses" | "other method";
  readonly before: string;
  readonly after: string;
}

const everyoneElse: AccessSource = { name: "everyone else" };

/** Computes which subjects can connect from which source, and with which method. */
export function accessMatrix(rules: readonly PgHbaRule[], scope: AccessScope): AccessMatrix {
  const rows = scope.subjects.map((subject) => ({
    subject,
    cells: accessOf(subject, [rules], scope).map(({ accesses }) => cellText(accesses[0] ?? [])),
  }));
  return { columns: [...scope.networks, everyoneElse], rows };
}

/** Compares the access that two lists of rules give. */
export function accessChanges(
  before: readonly PgHbaRule[],
  after: readonly PgHbaRule[],
  scope: AccessScope,
): readonly AccessChange[] {
  return scope.subjects.flatMap((subject) =>
    accessOf(subject, [before, after], scope).flatMap(({ origin, accesses }) => {
      const [previous = [], current = []] = accesses;
      const change = changeOf(previous, current);
      if (!change) return [];
      return [{ subject, origin, change, before: cellText(previous), after: cellText(current) }];
    }),
  );
}

/** The access of a subject from each source, for several lists of rules; evaluated at the edge addresses of all of them. */
function accessOf(
  { user, database, roles = [], replication = false }: AccessSubject,
  lists: readonly (readonly PgHbaRule[])[],
  { networks, server = {} }: AccessScope,
) {
  const connection = { user, database, roles, replication };
  const resolved = resolveConnection(connection, server);
  const relevant = lists.map((rules) => rules.filter((rule) => matchesNames(rule, resolved)));
  const ranges = networks.map((origin) => rangesOf(origin, server));
  const edges = edgeAddresses(relevant.flat(), ranges.flat(), server);
  const columns = networks.map((origin, at) => {
    const own = ranges[at] ?? [];
    // Other sources, such as host names, are evaluated as they are.
    return { origin, samples: own.length > 0 ? edgesInside(own, edges) : [origin.address] };
  });
  const others = { origin: everyoneElse, samples: edgesOutside(ranges.flat(), edges) };
  return [...columns, others].map(({ origin, samples }) => ({
    origin,
    accesses: relevant.map((rules) =>
      samples.map((address): AddressAccess => {
        const from = address === undefined ? connection : { ...connection, address };
        return {
          tls: whoCan(rules, { ...from, tls: true }, server).method,
          plain: whoCan(rules, from, server).method,
        };
      }),
    ),
  }));
}

function rangesOf(
  { address = "" }: AccessSource,
  { interfaces = [] }: ServerEnvironment,
): readonly Network[] {
  const base = parseIp(address);
  if (base) return [{ base, mask: base.map(() => 0xff) }];
  const texts = address === "samenet" ? interfaces : [address];
  return texts.flatMap((text) => parseCidr(text) ?? []);
}

function changeOf(
  previous: readonly AddressAccess[],
  current: readonly AddressAccess[],
): AccessChange["change"] | undefined {
  const pairs = previous.flatMap((was, at) => {
    const is = current[at] ?? was;
    return [[was.tls, is.tls] as const, [was.plain, is.plain] as const];
  });
  if (pairs.some(([was, is]) => was === "reject" && is !== "reject")) return "gains";
  if (pairs.some(([was, is]) => was !== "reject" && is === "reject")) return "loses";
  return pairs.some(([was, is]) => was !== is) ? "other method" : undefined;
}

function cellText(accesses: readonly AddressAccess[]): string {
  const texts = [...new Set(accesses.map(accessText))];
  const allowed = texts.filter((text) => text !== rejected);
  if (allowed.length === 0) return rejected;
  return allowed.length === texts.length ? allowed.join(" or ") : `partly ${allowed.join(" or ")}`;
}

/** Text of a cell without access. */
export const rejected = "rejected";

function accessText({ tls, plain }: AddressAccess): string {
  if (tls === plain) return shortName(tls);
  if (plain === "reject") return `${shortName(tls)}, TLS`;
  if (tls === "reject") return `${shortName(plain)}, no TLS`;
  return `${shortName(tls)} with TLS, ${shortName(plain)} without`;
}

function shortName(method: AuthMethod): string {
  if (method === "reject") return rejected;
  return method === "scram-sha-256" ? "scram" : method;
}
