import { StatementCursor, type QualifiedName } from "./statement-cursor";

/** What a statement of a dump does, as far as it matters for the verdict. */
export type StatementAction =
  /** Drops an object or a part of one: `DROP TABLE`, `ALTER TABLE … DROP CONSTRAINT`, `lo_unlink`. */
  | "drop"
  | "create"
  /** Sets the owner of objects: `… OWNER TO`, `SET SESSION AUTHORIZATION`. */
  | "set owner"
  | "grant"
  | "copy"
  | "insert"
  | "comment"
  | "set"
  /** Creates, drops or alters a database. */
  | "change database"
  | "other";

/** Facts about a statement of a dump, derived from its text. */
export interface StatementFacts {
  readonly action: StatementAction;
  /** Type and name in SQL notation: `TABLE public.users`, `EXTENSION plpgsql`. */
  readonly object?: string;
  /** Qualified name of the object, unquoted: `public.users`. */
  readonly name?: string;
  /** The table that rows, an index, constraint, trigger, rule or policy belong to: qualified name, unquoted. */
  readonly table?: string;
  /** Roles in the statement, unquoted, without PUBLIC. */
  readonly roles: readonly string[];
  /** The beginning of the statement in one line, without secrets. */
  readonly excerpt: string;
}

type Described = Omit<StatementFacts, "roles" | "excerpt"> & { readonly roles?: readonly string[] };

/** Describes a statement. @param text the statement, or at least its first few hundred characters */
export function describeStatement(text: string): StatementFacts {
  return { roles: [], ...describe(new StatementCursor(text)), excerpt: excerptOf(text) };
}

/** Maximum length of an excerpt, in characters. */
const excerptLength = 160;

/** Statements that can contain credentials. Excerpts are stored in logs and reports. */
const withCredentials = /^\s*(?:CREATE|ALTER)\s+(?:USER|ROLE|SERVER|SUBSCRIPTION)\b/i;

function withoutSecrets(text: string): string {
  return withCredentials.test(text)
    ? text.replace(/\b(OPTIONS|CONNECTION|PASSWORD)\b.*$/is, "$1 …")
    : text;
}

function excerptOf(text: string): string {
  const bare = withoutSecrets(text.replace(/^(?:\s*--[^\n]*\n)+/, "").slice(0, 4 * excerptLength));
  const line = bare.replace(/\s+/g, " ").trim();
  return line.length > excerptLength ? `${line.slice(0, excerptLength - 3)}...` : line;
}

/** Object types. If one begins with another, the longer one comes first. */
const types = `
  TABLE, MATERIALIZED VIEW, VIEW, INDEX, SEQUENCE, TYPE, DOMAIN, FUNCTION, PROCEDURE, ROUTINE, AGGREGATE, SCHEMA,
  EXTENSION, CONSTRAINT TRIGGER, EVENT TRIGGER, TRIGGER, RULE, POLICY, OPERATOR CLASS, OPERATOR FAMILY, OPERATOR, CAST,
  COLLATION, CONVERSION, TEXT SEARCH CONFIGURATION, TEXT SEARCH DICTIONARY, TEXT SEARCH PARSER, TEXT SEARCH TEMPLATE,
  FOREIGN TABLE, FOREIGN DATA WRAPPER, SERVER, USER MAPPING, PUBLICATION, SUBSCRIPTION, STATISTICS, LANGUAGE,
  ACCESS METHOD, TRANSFORM, LARGE OBJECT, DATABASE, TABLESPACE, ROLE, USER, GROUP, CONSTRAINT, COLUMN`
  .trim()
  .split(/,\s+/);

const modifiers = `
  OR REPLACE, GLOBAL, LOCAL, TEMPORARY, TEMP, UNLOGGED, UNIQUE, RECURSIVE, TRUSTED, PROCEDURAL, DEFAULT`
  .trim()
  .split(/,\s+/);

function describe(cursor: StatementCursor): Described {
  const verb = cursor.word ?? "";
  cursor.accept(verb);
  switch (verb) {
    case "COPY":
      return { action: "copy", ...tableFacts(cursor.name()) };
    case "INSERT":
      cursor.accept("INTO");
      cursor.accept("ONLY");
      return { action: "insert", ...tableFacts(cursor.name()) };
    case "SET":
      if (!cursor.accept("SESSION", "AUTHORIZATION")) return { action: "set" };
      return { action: "set owner", roles: sessionRole(cursor) };
    case "RESET":
      return { action: cursor.accept("SESSION", "AUTHORIZATION") ? "set owner" : "set" };
    case "SELECT":
      return describeSelect(cursor);
    case "CREATE":
      return describeCreate(cursor);
    case "DROP":
      return describeDrop(cursor);
    case "ALTER":
      return describeAlter(cursor);
    case "GRANT":
    case "REVOKE":
      return describeGrant(cursor);
    case "COMMENT":
      cursor.accept("ON");
      return { action: "comment", ...objectOnTable(cursor, cursor.acceptOne(types)) };
    case "REFRESH":
      return { action: "other", ...objectFacts(cursor, cursor.acceptOne(types)) };
    default:
      return { action: "other" };
  }
}

function sessionRole(cursor: StatementCursor): readonly string[] {
  if (cursor.accept("DEFAULT")) return [];
  const role = cursor.string();
  return role === undefined ? cursor.roles() : [role];
}

function describeSelect(cursor: StatementCursor): Described {
  const called = cursor.name()?.name.replace(/^pg_catalog\./, "");
  if (called === "set_config") return { action: "set" };
  const action = called === "lo_unlink" ? "drop" : called === "lo_create" ? "create" : undefined;
  if (action === undefined) return { action: "other" };
  const id = /\d+/.exec(cursor.textOf(() => cursor.skipTo("")))?.[0];
  return { action, object: id === undefined ? "LARGE OBJECT" : `LARGE OBJECT ${id}` };
}

function describeCreate(cursor: StatementCursor): Described {
  while (cursor.acceptOne(modifiers) !== undefined);
  const type = cursor.acceptOne(types);
  if (type === "DATABASE") return { action: "change database", ...objectFacts(cursor, type) };
  if (type === "USER MAPPING") {
    cursor.accept("IF", "NOT", "EXISTS");
    cursor.accept("FOR");
    const object = cursor.textOf(() => cursor.name());
    cursor.back();
    return { action: "create", object: `${type} ${object}`, roles: cursor.roles() };
  }
  const object = objectFacts(cursor, type);
  const table = tableOfPart(cursor, type);
  const isGranted = type === "POLICY" && cursor.skipTo("TO", "USING", "WITH") === "TO";
  return {
    action: "create",
    ...object,
    ...(table === undefined ? {} : { table: table.name }),
    roles: isGranted ? cursor.roles() : [],
  };
}

/** The table that an index, trigger, rule, policy or statistics object belongs to. */
function tableOfPart(cursor: StatementCursor, type: string | undefined): QualifiedName | undefined {
  const before: Readonly<Record<string, string>> = {
    INDEX: "ON",
    TRIGGER: "ON",
    "CONSTRAINT TRIGGER": "ON",
    POLICY: "ON",
    RULE: "TO",
    STATISTICS: "FROM",
  };
  const word = type === undefined ? undefined : before[type];
  if (word === undefined || cursor.skipTo(word) === undefined) return undefined;
  cursor.accept("ONLY");
  return cursor.name();
}

function describeDrop(cursor: StatementCursor): Described {
  cursor.accept("PROCEDURAL");
  const type = cursor.acceptOne(types);
  const action = type === "DATABASE" ? "change database" : "drop";
  return { action, ...objectOnTable(cursor, type) };
}

function describeAlter(cursor: StatementCursor): Described {
  if (cursor.accept("DEFAULT", "PRIVILEGES")) return describeDefaultPrivileges(cursor);
  cursor.accept("PROCEDURAL");
  const type = cursor.acceptOne(types);
  const object = objectFacts(cursor, type);
  const facts =
    /TABLE$/.test(type ?? "") && object.name !== undefined
      ? { ...object, table: object.name }
      : object;
  // Skip the arguments of functions and the access method of operator classes.
  cursor.skipParentheses();
  if (cursor.accept("USING")) cursor.name();
  if (cursor.accept("OWNER", "TO")) return { action: "set owner", ...facts, roles: cursor.roles() };
  if (type === "DATABASE") return { action: "change database", ...facts };
  if (type === "PUBLICATION" && cursor.accept("ADD", "TABLE")) {
    cursor.accept("ONLY");
    const table = cursor.name();
    return { action: "other", ...facts, ...(table ? { table: table.name } : {}) };
  }
  return { action: removes(cursor) ? "drop" : "other", ...facts };
}

/** True for an ALTER that only drops something. */
function removes(cursor: StatementCursor): boolean {
  if (cursor.accept("ALTER")) {
    cursor.accept("COLUMN");
    cursor.name();
  }
  return (
    (cursor.accept("DROP") || cursor.accept("DETACH", "PARTITION")) &&
    cursor.skipTo("ADD") === undefined
  );
}

function describeDefaultPrivileges(cursor: StatementCursor): Described {
  const owners = cursor.accept("FOR", "ROLE") || cursor.accept("FOR", "USER") ? cursor.roles() : [];
  cursor.skipTo("GRANT", "REVOKE");
  const { roles = [] } = describeGrant(cursor);
  return { action: "grant", object: "DEFAULT PRIVILEGES", roles: [...owners, ...roles] };
}

/** Privileges on an object, or membership in roles: `GRANT a, b TO c`. */
function describeGrant(cursor: StatementCursor): Described {
  cursor.accept("GRANT", "OPTION", "FOR");
  cursor.accept("ADMIN", "OPTION", "FOR");
  const members = cursor.roles();
  if (cursor.accept("TO") || cursor.accept("FROM")) {
    return { action: "grant", roles: [...members, ...grantees(cursor)] };
  }
  if (cursor.word !== "ON" && cursor.skipTo("ON") === undefined) return { action: "grant" };
  cursor.accept("ON");
  const object = cursor
    .textOf(() => {
      if (cursor.skipTo("TO", "FROM") !== undefined) cursor.back();
    })
    .replace(/\s+/g, " ");
  if (!cursor.accept("TO")) cursor.accept("FROM");
  return { action: "grant", object, roles: grantees(cursor) };
}

function grantees(cursor: StatementCursor): readonly string[] {
  const roles = cursor.roles();
  return cursor.skipTo("GRANTED") === undefined || !cursor.accept("BY")
    ? roles
    : [...roles, ...cursor.roles()];
}

/** Facts about an object that can belong to a table: `TRIGGER a ON b`, `COLUMN a.b`. */
function objectOnTable(
  cursor: StatementCursor,
  type: string | undefined,
): Pick<Described, "object" | "name" | "table"> {
  const object = objectFacts(cursor, type);
  if (type === "COLUMN" && object.name?.includes(".") === true) {
    return { ...object, table: object.name.slice(0, object.name.lastIndexOf(".")) };
  }
  if (!cursor.accept("ON")) return object;
  cursor.accept("DOMAIN");
  const table = cursor.name();
  return table ? { ...object, table: table.name } : object;
}

/** Reads the name of an object of a type. */
function objectFacts(
  cursor: StatementCursor,
  type: string | undefined,
): Pick<Described, "object" | "name"> {
  if (type === undefined) return {};
  cursor.accept("CONCURRENTLY");
  if (!cursor.accept("IF", "NOT", "EXISTS")) cursor.accept("IF", "EXISTS");
  cursor.accept("ONLY");
  if (type === "CAST") {
    const cast = cursor.textOf(() => {
      cursor.skipParentheses();
    });
    return { object: `${type} ${cast}` };
  }
  if (type === "USER MAPPING" || type === "TRANSFORM") cursor.accept("FOR");
  if (type === "INDEX" && cursor.word === "ON") return { object: type };
  const name = cursor.name();
  if (!name) return { object: type };
  const object = `${type} ${name.text}`;
  // These have no name of their own.
  if (["USER MAPPING", "TRANSFORM", "LARGE OBJECT"].includes(type)) return { object };
  return { object, name: name.name };
}

function tableFacts(
  table: QualifiedName | undefined,
): Pick<Described, "object" | "name" | "table"> {
  return table ? { object: `TABLE ${table.text}`, name: table.name, table: table.name } : {};
}
