import { quoteIdentifier as q } from "../base/sql";

/** Grantees of privileges in a database. */
export type Grantee = "application" | "readonly" | "monitor" | "PUBLIC";

/** Classes of objects with privileges; `default …` stands for objects that the owner will create. */
export type ObjectClass =
  | "DATABASE"
  | "SCHEMA"
  | "TABLE"
  | "SEQUENCE"
  | "ROUTINE"
  | "LARGE OBJECT"
  | "default SCHEMAS"
  | "default TABLES"
  | "default SEQUENCES"
  | "default ROUTINES";

const rows = "SELECT INSERT UPDATE DELETE";
const sequences = { application: "USAGE SELECT UPDATE", readonly: "SELECT" };
const schemas = { application: "USAGE", readonly: "USAGE" };

/**
 * Privileges in a database, apart from the owner's. All other privileges of these roles are revoked. TABLE includes
 * views; ROUTINE only includes routines that PUBLIC may not execute.
 */
const rights: Readonly<Record<ObjectClass, Partial<Readonly<Record<Grantee, string>>>>> = {
  DATABASE: { application: "CONNECT TEMPORARY", readonly: "CONNECT", monitor: "CONNECT" },
  SCHEMA: schemas,
  TABLE: { application: rows, readonly: "SELECT" },
  SEQUENCE: sequences,
  ROUTINE: { application: "EXECUTE" },
  // Large objects are data like rows: the application owns them, because only an owner can delete one.
  "LARGE OBJECT": { application: "SELECT UPDATE", readonly: "SELECT" },
  "default SCHEMAS": schemas,
  "default TABLES": { application: rows, readonly: "SELECT" },
  "default SEQUENCES": sequences,
  "default ROUTINES": { application: "EXECUTE" },
};

/** PostgreSQL's default privileges of PUBLIC that are tolerated. */
const tolerated: Partial<Readonly<Record<ObjectClass, string>>> = {
  SCHEMA: "USAGE",
  "default ROUTINES": "EXECUTE",
};

/** A privilege, as a parameter of the query in agent/server/roles/rights.ts. */
export interface Right {
  readonly class: ObjectClass;
  readonly grantee: Grantee;
  readonly privilege: string;
  /** `false` for a privilege that is allowed but not required. */
  readonly required: boolean;
}

/** All required and tolerated privileges. */
export const allRights: readonly Right[] = (Object.keys(rights) as ObjectClass[]).flatMap(
  (objects) => [
    ...Object.entries(rights[objects]).flatMap(([grantee, privileges]) =>
      privileges.split(" ").map((privilege) => ({
        class: objects,
        grantee: grantee as Grantee,
        privilege,
        required: true,
      })),
    ),
    ...(tolerated[objects] === undefined
      ? []
      : [
          {
            class: objects,
            grantee: "PUBLIC" as const,
            privilege: tolerated[objects],
            required: false,
          },
        ]),
  ],
);

/** A change of privileges on several objects. */
export interface RightsChange {
  readonly verb: "GRANT" | "REVOKE" | "REVOKE GRANT OPTION FOR";
  readonly class: ObjectClass;
  /** Comma-separated. */
  readonly privileges: string;
  /** As SQL. */
  readonly grantee: string;
  /** As SQL; for default privileges, `IN SCHEMA x` or empty. */
  readonly names: readonly string[];
}

/** Maximum number of objects in a statement. */
const objectsPerStatement = 1000;

/** The SQL statements of a change. */
export function renderChange(change: RightsChange, owner: string): string[] {
  const { verb, privileges, grantee, names } = change;
  const direction = verb === "GRANT" ? "TO" : "FROM";
  if (change.class.startsWith("default ")) {
    const objects = change.class.slice("default ".length);
    return names.map((scope) =>
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${q(owner)} ${scope} ${verb} ${privileges} ON ${objects} ${direction} ${grantee}`.replace(
        "  ",
        " ",
      ),
    );
  }
  // CASCADE also revokes privileges that the grantee granted to others.
  const end = verb === "GRANT" ? "" : " CASCADE";
  const statements: string[] = [];
  for (let i = 0; i < names.length; i += objectsPerStatement) {
    const some = names.slice(i, i + objectsPerStatement).join(", ");
    statements.push(
      `${verb} ${privileges} ON ${change.class} ${some} ${direction} ${grantee}${end}`,
    );
  }
  return statements;
}

/** Objects named in a sentence about a change. */
const maxNames = 3;

/** What differs from the declared privileges, e.g. `shop_readonly lacks SELECT on table public.orders`. */
export function describeDifference({
  verb,
  class: objects,
  privileges,
  grantee,
  names,
}: RightsChange): string {
  const who = grantee.replace(/^"(.*)"$/s, "$1");
  const verbs = {
    GRANT: "lacks",
    REVOKE: "also has",
    "REVOKE GRANT OPTION FOR": "may grant to others",
  } as const;
  const what = objects.startsWith("default ")
    ? `future ${objects.slice("default ".length).toLowerCase()} ${names[0] ?? ""}`.trimEnd()
    : `${objects.toLowerCase()} ${names.slice(0, maxNames).join(", ")}`;
  const more = names.length - maxNames;
  return `${who} ${verbs[verb]} ${privileges} on ${what}${more > 0 ? ` and ${more} more` : ""}`;
}
