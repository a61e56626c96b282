import { quoteIdentifier as q, quoteLiteral } from "../base/sql";
import { PlainTokens } from "./plain-tokens";

/**
 * A statement of a dump that only a superuser may run, parsed into names and constants. `sql` is rendered from these, so that
 * nothing else in the statement's text reaches the superuser's session.
 */
export type SuperuserStatement =
  | {
      readonly kind: "extension";
      readonly extension: string;
      readonly schema?: string;
      readonly sql: string;
    }
  /** Creates an object that the restore role then owns: `then`, for the role. */
  | { readonly kind: "owned"; readonly sql: string; readonly then: (role: string) => string }
  /** Creates a subscription that receives nothing. */
  | { readonly kind: "subscription"; readonly name: string; readonly sql: string }
  /** Creates or changes an object that stays with the superuser. */
  | { readonly kind: "other"; readonly sql: string }
  /** Has nothing to do here: plpgsql is in every database, and a copy's subscriptions stay detached. */
  | { readonly kind: "skip" };

/**
 * Reads one of the statements that a superuser runs on behalf of a dump; `undefined` for all others. It is a closed list:
 * extensions, event triggers, publications of whole schemas or databases, subscriptions that do not connect, and
 * foreign-data wrappers without functions. None of them runs code of the dump.
 */
export function superuserStatement(text: string): SuperuserStatement | undefined {
  const tokens = PlainTokens.read(text);
  if (!tokens) return undefined;
  for (const parse of parsers) {
    const attempt = tokens.copy();
    const found = parse(attempt);
    if (found && attempt.isAtEnd) return found;
  }
  return undefined;
}

type Parse = (tokens: PlainTokens) => SuperuserStatement | undefined;

const createExtension: Parse = (tokens) => {
  if (!tokens.words("CREATE", "EXTENSION")) return undefined;
  tokens.words("IF", "NOT", "EXISTS");
  const extension = tokens.identifier();
  if (extension === undefined) return undefined;
  tokens.words("WITH");
  const schema = tokens.words("SCHEMA") ? tokens.identifier() : undefined;
  const version = tokens.words("VERSION") ? (tokens.identifier() ?? tokens.string()) : undefined;
  const options = [
    ...(schema === undefined ? [] : [` SCHEMA ${q(schema)}`]),
    ...(version === undefined ? [] : [` VERSION ${quoteLiteral(version)}`]),
  ].join("");
  const sql = `CREATE EXTENSION IF NOT EXISTS ${q(extension)}${options === "" ? "" : ` WITH${options}`}`;
  return { kind: "extension", extension, ...(schema === undefined ? {} : { schema }), sql };
};

const commented = ["EXTENSION", "EVENT TRIGGER", "SUBSCRIPTION", "FOREIGN DATA WRAPPER"] as const;

const comment: Parse = (tokens) => {
  if (!tokens.words("COMMENT", "ON")) return undefined;
  const type = commented.find((each) => tokens.words(...each.split(" ")));
  const name = type && tokens.identifier();
  if (name === undefined || !tokens.words("IS")) return undefined;
  const text = tokens.words("NULL") ? null : tokens.string();
  if (text === undefined) return undefined;
  const value = text === null ? "NULL" : quoteLiteral(text);
  return { kind: "other", sql: `COMMENT ON ${type} ${q(name)} IS ${value}` };
};

/** As dumps up to PostgreSQL 9.0 have it. */
const language: Parse = (tokens) => {
  const isCreated =
    tokens.words("CREATE") &&
    (tokens.words("OR", "REPLACE"), tokens.words("TRUSTED"), tokens.words("PROCEDURAL"), true);
  if (!isCreated && !tokens.words("COMMENT", "ON") && !tokens.words("ALTER")) return undefined;
  tokens.words("PROCEDURAL");
  if (!tokens.words("LANGUAGE") || tokens.identifier() !== "plpgsql") return undefined;
  tokens.skipAll();
  return { kind: "skip" };
};

const createEventTrigger: Parse = (tokens) => {
  if (!tokens.words("CREATE", "EVENT", "TRIGGER")) return undefined;
  const name = tokens.identifier();
  const event = tokens.words("ON") ? tokens.identifier() : undefined;
  if (name === undefined || event === undefined || !/^[a-z_]+$/.test(event)) return undefined;
  const filters: string[] = [];
  if (tokens.words("WHEN")) {
    do {
      const variable = tokens.identifier();
      if (variable !== "tag" || !tokens.words("IN")) return undefined;
      const tags = tokens.inParentheses(() => tokens.string());
      if (!tags) return undefined;
      filters.push(`tag IN (${tags.map(quoteLiteral).join(", ")})`);
    } while (tokens.words("AND"));
  }
  if (!tokens.words("EXECUTE", "FUNCTION") && !tokens.words("EXECUTE", "PROCEDURE"))
    return undefined;
  const called = tokens.qualifiedName();
  if (!called || !tokens.inParentheses(() => undefined)) return undefined;
  const when = filters.length === 0 ? "" : ` WHEN ${filters.join(" AND ")}`;
  const sql = `CREATE EVENT TRIGGER ${q(name)} ON ${event}${when} EXECUTE FUNCTION ${quoted(called)}()`;
  return { kind: "other", sql };
};

const alterEventTrigger: Parse = (tokens) => {
  if (!tokens.words("ALTER", "EVENT", "TRIGGER")) return undefined;
  const name = tokens.identifier();
  if (name === undefined) return undefined;
  const state = ["DISABLE", "ENABLE ALWAYS", "ENABLE REPLICA", "ENABLE"].find((each) =>
    tokens.words(...each.split(" ")),
  );
  return state === undefined
    ? undefined
    : { kind: "other", sql: `ALTER EVENT TRIGGER ${q(name)} ${state}` };
};

const createPublication: Parse = (tokens) => {
  if (!tokens.words("CREATE", "PUBLICATION")) return undefined;
  const name = tokens.identifier();
  if (name === undefined || !tokens.words("FOR", "ALL", "TABLES")) return undefined;
  const options = tokens.options();
  if (!options) return undefined;
  return {
    kind: "owned",
    sql: `CREATE PUBLICATION ${q(name)} FOR ALL TABLES${withClause(options)}`,
    then: (role) => `ALTER PUBLICATION ${q(name)} OWNER TO ${q(role)}`,
  };
};

const publishSchema: Parse = (tokens) => {
  if (!tokens.words("ALTER", "PUBLICATION")) return undefined;
  const name = tokens.identifier();
  if (name === undefined || !tokens.words("ADD", "TABLES", "IN", "SCHEMA")) return undefined;
  const schema = tokens.identifier();
  return schema === undefined
    ? undefined
    : { kind: "other", sql: `ALTER PUBLICATION ${q(name)} ADD TABLES IN SCHEMA ${q(schema)}` };
};

const createSubscription: Parse = (tokens) => {
  if (!tokens.words("CREATE", "SUBSCRIPTION")) return undefined;
  const name = tokens.identifier();
  const connection = tokens.words("CONNECTION") ? tokens.string() : undefined;
  if (name === undefined || connection === undefined || !tokens.words("PUBLICATION"))
    return undefined;
  const publications = tokens.list(() => tokens.identifier());
  const options = tokens.options();
  // Otherwise it would connect to the publisher at once.
  if (!publications || options?.find(([option]) => option === "connect")?.[1] !== "false")
    return undefined;
  // The slot at the publisher is that of the dumped database: a copy that had its name could read from it, or drop it.
  const detached = options.filter(([option]) => !attaching.has(option));
  const more = detached.map(([option, value]) => `, ${q(option)} = ${quoteLiteral(value)}`);
  const sql = `CREATE SUBSCRIPTION ${q(name)} CONNECTION ${quoteLiteral(connection)} PUBLICATION ${publications.map(q).join(", ")} WITH (connect = false, enabled = false, create_slot = false, slot_name = NONE${more.join("")})`;
  return { kind: "subscription", name, sql };
};

/** Options of a subscription that have it receive changes, or own a slot. */
const attaching = new Set(["connect", "enabled", "create_slot", "slot_name", "copy_data"]);

/** `ALTER SUBSCRIPTION … ENABLE` and the like, which would attach a copy to the publisher. */
const alterSubscription: Parse = (tokens) => {
  if (!tokens.words("ALTER", "SUBSCRIPTION") || tokens.identifier() === undefined) return undefined;
  if (!["ENABLE", "DISABLE", "SET", "CONNECTION", "REFRESH"].some((word) => tokens.words(word)))
    return undefined;
  tokens.skipAll();
  return { kind: "skip" };
};

const createForeignDataWrapper: Parse = (tokens) => {
  if (!tokens.words("CREATE", "FOREIGN", "DATA", "WRAPPER")) return undefined;
  const name = tokens.identifier();
  tokens.words("NO", "HANDLER");
  tokens.words("NO", "VALIDATOR");
  const options = tokens.words("OPTIONS") ? tokens.inParentheses(() => option(tokens)) : [];
  if (name === undefined || !options) return undefined;
  const texts = options.map(([key, value]) => `${q(key)} ${quoteLiteral(value)}`).join(", ");
  const clause = options.length === 0 ? "" : ` OPTIONS (${texts})`;
  return { kind: "other", sql: `CREATE FOREIGN DATA WRAPPER ${q(name)}${clause}` };
};

const option = (tokens: PlainTokens): readonly [name: string, value: string] | undefined => {
  const name = tokens.identifier();
  const value = tokens.string();
  return name === undefined || value === undefined ? undefined : [name, value];
};

const parsers: readonly Parse[] = [
  createExtension,
  comment,
  language,
  createEventTrigger,
  alterEventTrigger,
  createPublication,
  publishSchema,
  createSubscription,
  alterSubscription,
  createForeignDataWrapper,
];

function quoted(name: readonly string[]): string {
  return name.map(q).join(".");
}

function withClause(options: readonly (readonly [string, string])[]): string {
  if (options.length === 0) return "";
  return ` WITH (${options.map(([name, value]) => `${q(name)} = ${quoteLiteral(value)}`).join(", ")})`;
}

/**
 * Extensions that are not trusted, but that give nobody more rights once a superuser has created them: what they can do to
 * the server stays with the superuser. PostgreSQL manual, appendix F; the others are common on servers of applications.
 */
export const creatableExtensions: ReadonlySet<string> = new Set([
  ...["amcheck", "autoinc", "dblink", "earthdistance", "file_fdw", "insert_username", "intagg"],
  ...["moddatetime", "pageinspect", "pg_buffercache", "pg_freespacemap", "pg_prewarm"],
  ...["pg_stat_statements", "pg_surgery", "pg_visibility", "pg_walinspect", "pgrowlocks"],
  ...["pgstattuple", "postgres_fdw", "refint", "sslinfo", "xml2"],
  ...["address_standardizer", "address_standardizer_data_us", "fuzzystrmatch", "postgis"],
  ...["postgis_raster", "postgis_sfcgal", "postgis_tiger_geocoder", "postgis_topology"],
  ...["hypopg", "pg_hint_plan", "pg_partman", "pg_repack", "pgaudit", "pgrouting", "pgvector"],
  ...["rum", "timescaledb", "vector"],
]);
