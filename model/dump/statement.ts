import { unquoteIdentifier } from "../sql";

/** What a statement of a dump does, as far as the verdict cares. */
export type Action =
  | "drop"
  | "create"
  | "set owner"
  | "grant"
  | "copy"
  | "insert"
  | "comment"
  | "set"
  | "change database"
  | "other";

/** A statement of a dump, described from its text. */
export interface StatementFacts {
  readonly action: Action;
  /** Type and name as the dump writes them: `TABLE public.users`, `EXTENSION plpgsql`. */
  readonly object?: string;
  /** Qualified name of the object, identifiers unquoted: `public.users`. */
  readonly name?: string;
  /** The table that a row, index, constraint, trigger or policy belongs to, unquoted and qualified. */
  readonly table?: string;
  /** Roles it names, unquoted; PUBLIC is none. */
  readonly roles: readonly string[];
  /** The first line or so, for people. */
  readonly excerpt: string;
}

const identifier = String.raw`(?:"(?:[^"]|"")+"|[\w$\u0080-\uffff]+)`;
const qualified = String.raw`${identifier}(?:\.${identifier})*`;
const types = [
  "TABLE",
  "MATERIALIZED VIEW",
  "VIEW",
  "INDEX",
  "SEQUENCE",
  "TYPE",
  "DOMAIN",
  "FUNCTION",
  "PROCEDURE",
  "AGGREGATE",
  "SCHEMA",
  "EXTENSION",
  "CONSTRAINT TRIGGER",
  "EVENT TRIGGER",
  "TRIGGER",
  "RULE",
  "POLICY",
  "OPERATOR CLASS",
  "OPERATOR FAMILY",
  "OPERATOR",
  "CAST",
  "COLLATION",
  "CONVERSION",
  "TEXT SEARCH CONFIGURATION",
  "TEXT SEARCH DICTIONARY",
  "TEXT SEARCH PARSER",
  "TEXT SEARCH TEMPLATE",
  "FOREIGN TABLE",
  "FOREIGN DATA WRAPPER",
  "SERVER",
  "USER MAPPING",
  "PUBLICATION",
  "SUBSCRIPTION",
  "STATISTICS",
  "LANGUAGE",
  "ACCESS METHOD",
  "TRANSFORM",
  "LARGE OBJECT",
  "DATABASE",
  "TABLESPACE",
  "ROLE",
  "USER",
  "CONSTRAINT",
  "COLUMN",
].join("|");

const create = new RegExp(
  String.raw`^CREATE (?:OR REPLACE )?(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|UNIQUE|RECURSIVE|TRUSTED|PROCEDURAL|DEFAULT) )*(${types})(?: CONCURRENTLY)?(?: IF NOT EXISTS)? (?:FOR )?(${qualified})?`,
  "i",
);
const drop = new RegExp(
  String.raw`^DROP (?:PROCEDURAL )?(${types})(?: CONCURRENTLY)?(?: IF EXISTS)? (?:FOR )?(${qualified})?`,
  "i",
);
const alter = new RegExp(
  String.raw`^ALTER (?:PROCEDURAL )?(${types})(?: IF EXISTS)?(?: ONLY)? (${qualified})`,
  "i",
);
const comment = new RegExp(String.raw`^COMMENT ON (${types}) (${qualified})`, "i");
const copy = new RegExp(String.raw`^COPY (${qualified})[\s(]`, "i");
const insert = new RegExp(String.raw`^INSERT INTO (?:ONLY )?(${qualified})[\s(]`, "i");
const on = new RegExp(String.raw` ON (?:TABLE )?(?:ONLY )?(${qualified})`, "i");
const owner = new RegExp(String.raw` OWNER TO (${identifier})$`, "i");
const grantees = /^(?:GRANT|REVOKE) .* (?:TO|FROM) (.+?)(?: WITH [\w ]+)?(?: GRANTED BY .+)?$/is;
const forRole = new RegExp(
  String.raw`^ALTER DEFAULT PRIVILEGES FOR (?:ROLE|USER) (${identifier})`,
  "i",
);
const policyRoles = / TO (.+?)(?: USING | WITH CHECK |$)/is;
const mappingUser = new RegExp(String.raw`^(?:CREATE|ALTER) USER MAPPING FOR (${identifier})`, "i");

/** Describes a statement; `text` is the statement or, where it is long, at least its first few hundred characters. */
export function describeStatement(text: string): StatementFacts {
  const line = withoutComments(text).replace(/\s+/g, " ").trim();
  const excerpt = line.length > 160 ? `${line.slice(0, 157)}...` : line;
  const facts = (
    action: Action,
    rest: Omit<StatementFacts, "action" | "roles" | "excerpt"> & { roles?: readonly string[] } = {},
  ): StatementFacts => ({
    roles: [],
    ...rest,
    action,
    excerpt,
  });

  switch (/^\w+/.exec(line)?.[0].toUpperCase()) {
    case "COPY":
      return facts("copy", tableOf(copy.exec(line)?.[1]));
    case "INSERT":
      return facts("insert", tableOf(insert.exec(line)?.[1]));
    case "SET":
      if (/^SET SESSION AUTHORIZATION/i.test(line)) return facts("set owner");
      return facts("set");
    case "SELECT":
      if (/^SELECT (?:pg_catalog\.)?lo_unlink\(/i.test(line)) {
        return facts("drop", {
          object: `LARGE OBJECT ${/\('?(\d+)/.exec(line)?.[1] ?? ""}`.trim(),
        });
      }
      return facts(/^SELECT pg_catalog\.set_config\(/i.test(line) ? "set" : "other");
    case "DROP": {
      const [, type, name] = drop.exec(line) ?? [];
      const action = type?.toUpperCase() === "DATABASE" ? "change database" : "drop";
      return facts(action, objectOf(type, name));
    }
    case "CREATE": {
      const [, type, name] = create.exec(line) ?? [];
      const kind = type?.toUpperCase();
      const object = objectOf(type, name);
      const table = kind !== undefined && onTable.has(kind) ? on.exec(line)?.[1] : undefined;
      return facts(kind === "DATABASE" ? "change database" : "create", {
        ...object,
        ...(table === undefined ? {} : { table: unquoteQualified(table) }),
        roles:
          kind === "POLICY"
            ? roleList(policyRoles.exec(line)?.[1])
            : roleList(mappingUser.exec(line)?.[1]),
      });
    }
    case "ALTER": {
      if (/^ALTER DEFAULT PRIVILEGES/i.test(line)) {
        const grant = /((?:GRANT|REVOKE) .*)$/is.exec(line)?.[1] ?? "";
        const roles = [
          ...roleList(forRole.exec(line)?.[1]),
          ...roleList(grantees.exec(grant)?.[1]),
        ];
        return facts("grant", { object: "DEFAULT PRIVILEGES", roles });
      }
      const [, type, name] = alter.exec(line) ?? [];
      const object = objectOf(type, name);
      const newOwner = owner.exec(line)?.[1];
      if (newOwner !== undefined)
        return facts("set owner", { ...object, roles: roleList(newOwner) });
      if (type?.toUpperCase() === "DATABASE") return facts("change database", object);
      const table =
        /TABLE$/i.test(type ?? "") && name !== undefined ? { table: unquoteQualified(name) } : {};
      const removes = /^ALTER .+? (?:DROP|DETACH PARTITION) /i.test(line) && !/ ADD /i.test(line);
      return facts(removes ? "drop" : "other", { ...object, ...table });
    }
    case "GRANT":
    case "REVOKE": {
      const target = / ON (.+?) (?:TO|FROM) /is.exec(line)?.[1];
      return facts("grant", {
        ...(target === undefined ? {} : { object: target }),
        roles: roleList(grantees.exec(line)?.[1]),
      });
    }
    case "COMMENT": {
      const [, type, name] = comment.exec(line) ?? [];
      return facts("comment", objectOf(type, name));
    }
    default:
      return facts("other");
  }
}

/** `"a b".c` as it is called inside: `a b.c`. */
export function unquoteQualified(name: string): string {
  return (name.match(new RegExp(identifier, "g")) ?? []).map(unquoteIdentifier).join(".");
}

const onTable = new Set(["INDEX", "TRIGGER", "CONSTRAINT TRIGGER", "POLICY"]);

function objectOf(
  type: string | undefined,
  name: string | undefined,
): { object?: string; name?: string } {
  if (type === undefined) return {};
  if (name === undefined) return { object: type.toUpperCase() };
  return { object: `${type.toUpperCase()} ${name}`, name: unquoteQualified(name) };
}

function tableOf(name: string | undefined): { object?: string; name?: string; table?: string } {
  if (name === undefined) return {};
  const plain = unquoteQualified(name);
  return { object: `TABLE ${name}`, name: plain, table: plain };
}

function roleList(text: string | undefined): readonly string[] {
  const names = text?.match(new RegExp(identifier, "g")) ?? [];
  return names
    .map(unquoteIdentifier)
    .filter(
      (role) => !["public", "current_user", "session_user", "current_role", "group"].includes(role),
    );
}

function withoutComments(text: string): string {
  return text.replace(/^(?:\s*--[^\n]*\n)+/, "");
}
