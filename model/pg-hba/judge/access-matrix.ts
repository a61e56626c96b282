import { parseCidr, parseIp, type Network } from "../rule/address";
import { callerOf, type ServerFacts } from "../rule/connection";
import { whoCan } from "../rule/evaluate";
import type { RequiredAccess } from "./finding";
import { matchesNames } from "../rule/match";
import type { AuthMethod, PgHbaRule } from "../rule/rule";
import { edgesIn, edgesOf, edgesOutside } from "./samples";

/** Who is asked about: a row of the matrix. */
export interface Subject {
  /** What people call it: `app`, `readonly`. */
  readonly name: string;
  readonly user: string;
  readonly database: string;
  readonly roles?: readonly string[];
  /** @default false */
  readonly replication?: boolean;
}

/** Where connections come from: a column of the matrix. */
export interface Origin {
  /** What people call it: `application`, `office`. */
  readonly name: string;
  /** A network, an address, `samenet`, a host name; left out for the Unix socket. */
  readonly address?: string;
}

/** What the matrix is about. A last column "everyone else" comes by itself. */
export interface Scope {
  readonly subjects: readonly Subject[];
  readonly networks: readonly Origin[];
  /** Connections that must work. @default none */
  readonly required?: readonly RequiredAccess[];
  readonly server?: ServerFacts;
}

/** What is asked of one subject at one address: by method, with TLS and without. */
interface Access {
  readonly tls: AuthMethod;
  readonly plain: AuthMethod;
}

/** One row: a subject and its access from every column. */
export interface MatrixRow {
  readonly subject: Subject;
  /** `scram, TLS`, `rejected`, `partly scram`. */
  readonly cells: readonly string[];
}

export interface AccessMatrix {
  readonly columns: readonly Origin[];
  readonly rows: readonly MatrixRow[];
}

/** Somebody who can come in, or no longer can, or is asked for something else. */
export interface AccessChange {
  readonly subject: Subject;
  readonly origin: Origin;
  readonly change: "gains" | "loses" | "asked otherwise";
  readonly before: string;
  readonly after: string;
}

const everyoneElse: Origin = { name: "everyone else" };

/** Who can come in from where, and what is asked of them. */
export function accessMatrix(rules: readonly PgHbaRule[], scope: Scope): AccessMatrix {
  const rows = scope.subjects.map((subject) => ({
    subject,
    cells: accessOf(subject, [rules], scope).map(({ accesses }) => cellText(accesses[0] ?? [])),
  }));
  return { columns: [...scope.networks, everyoneElse], rows };
}

/** What a change of rules means for people. */
export function accessChanges(
  before: readonly PgHbaRule[],
  after: readonly PgHbaRule[],
  scope: Scope,
): readonly AccessChange[] {
  return scope.subjects.flatMap((subject) =>
    accessOf(subject, [before, after], scope).flatMap(({ origin, accesses }) => {
      const [old = [], now = []] = accesses;
      const change = changeOf(old, now);
      if (!change) return [];
      return [{ subject, origin, change, before: cellText(old), after: cellText(now) }];
    }),
  );
}

/** The access of a subject from each column, under several lists of rules: judged at the edges that any of them draws. */
function accessOf(
  { user, database, roles = [], replication = false }: Subject,
  lists: readonly (readonly PgHbaRule[])[],
  { networks, server = {} }: Scope,
) {
  const connection = { user, database, roles, replication };
  const caller = callerOf(connection, server);
  const own = lists.map((rules) => rules.filter((rule) => matchesNames(rule, caller)));
  const ranges = networks.map((origin) => rangesOf(origin, server));
  const edges = edgesOf(own.flat(), ranges.flat(), server);
  const columns = networks.map((origin, at) => {
    const of = ranges[at] ?? [];
    // A place that is no network is asked about as it stands.
    return { origin, samples: of.length > 0 ? edgesIn(of, edges) : [origin.address] };
  });
  const others = { origin: everyoneElse, samples: edgesOutside(ranges.flat(), edges) };
  return [...columns, others].map(({ origin, samples }) => ({
    origin,
    accesses: own.map((rules) =>
      samples.map((address): Access => {
        const from = address === undefined ? connection : { ...connection, address };
        return {
          tls: whoCan(rules, { ...from, tls: true }, server).method,
          plain: whoCan(rules, from, server).method,
        };
      }),
    ),
  }));
}

function rangesOf({ address = "" }: Origin, { interfaces = [] }: ServerFacts): readonly Network[] {
  const base = parseIp(address);
  if (base) return [{ base, mask: base.map(() => 0xff) }];
  const texts = address === "samenet" ? interfaces : [address];
  return texts.flatMap((text) => parseCidr(text) ?? []);
}

function changeOf(
  old: readonly Access[],
  now: readonly Access[],
): AccessChange["change"] | undefined {
  const pairs = old.flatMap((was, at) => {
    const is = now[at] ?? was;
    return [[was.tls, is.tls] as const, [was.plain, is.plain] as const];
  });
  if (pairs.some(([was, is]) => was === "reject" && is !== "reject")) return "gains";
  if (pairs.some(([was, is]) => was !== "reject" && is === "reject")) return "loses";
  return pairs.some(([was, is]) => was !== is) ? "asked otherwise" : undefined;
}

function cellText(accesses: readonly Access[]): string {
  const texts = [...new Set(accesses.map(accessText))];
  const allowed = texts.filter((text) => text !== rejected);
  if (allowed.length === 0) return rejected;
  return allowed.length === texts.length ? allowed.join(" or ") : `partly ${allowed.join(" or ")}`;
}

/** In the words of a cell. */
export const rejected = "rejected";

function accessText({ tls, plain }: Access): string {
  if (tls === plain) return shortName(tls);
  if (plain === "reject") return `${shortName(tls)}, TLS`;
  if (tls === "reject") return `${shortName(plain)}, no TLS`;
  return `${shortName(tls)} with TLS, ${shortName(plain)} without`;
}

function shortName(method: AuthMethod): string {
  if (method === "reject") return rejected;
  return method === "scram-sha-256" ? "scram" : method;
}
