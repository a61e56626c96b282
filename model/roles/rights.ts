import { quoteIdentifier as q } from "../base/sql";

/** Who rights in a database are given to. */
export type Grantee = "application" | "readonly" | "monitor" | "PUBLIC";

/** Classes of objects that rights are given on; `default …` are those that the owner will make. */
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
 * Who may do what in a database, besides its owner. Whatever else these roles hold is taken away. A view stands under
 * TABLE; under ROUTINE stand only those that not everybody may run.
 */
const rights: Readonly<Record<ObjectClass, Partial<Readonly<Record<Grantee, string>>>>> = {
  DATABASE: { application: "CONNECT TEMPORARY", readonly: "CONNECT", monitor: "CONNECT" },
  SCHEMA: schemas,
  TABLE: { application: rows, readonly: "SELECT" },
  SEQUENCE: sequences,
  ROUTINE: { application: "EXECUTE" },
  // Large objects are rows in all but name: the application owns them, or it could not delete one.
  "LARGE OBJECT": { application: "SELECT UPDATE", readonly: "SELECT" },
  "default SCHEMAS": schemas,
  "default TABLES": { application: rows, readonly: "SELECT" },
  "default SEQUENCES": sequences,
  "default ROUTINES": { application: "EXECUTE" },
};

/** What may stay with everybody, as PostgreSQL gives it. */
const tolerated: Partial<Readonly<Record<ObjectClass, string>>> = {
  SCHEMA: "USAGE",
  "default ROUTINES": "EXECUTE",
};

/** One right, as the query of agent/server/roles/rights.ts takes it. */
export interface Right {
  readonly class: ObjectClass;
  readonly grantee: Grantee;
  readonly privilege: string;
  /** False for what may be there and need not. */
  readonly required: boolean;
}

/** Every right there is to be, one by one. */
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

/** The same change of rights on many objects. */
export interface RightsChange {
  readonly verb: "GRANT" | "REVOKE" | "REVOKE GRANT OPTION FOR";
  readonly class: ObjectClass;
  /** Separated by commas. */
  readonly privileges: string;
  /** As SQL writes it. */
  readonly grantee: string;
  /** As SQL writes them; of defaults, `IN SCHEMA x` or empty. */
  readonly names: readonly string[];
}

/** Objects that one statement names at most. */
const objectsAtOnce = 1000;

/** The statements that make a change. */
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
  // What somebody gave on goes with the right to do so.
  const end = verb === "GRANT" ? "" : " CASCADE";
  const statements: string[] = [];
  for (let i = 0; i < names.length; i += objectsAtOnce) {
    const some = names.slice(i, i + objectsAtOnce).join(", ");
    statements.push(
      `${verb} ${privileges} ON ${change.class} ${some} ${direction} ${grantee}${end}`,
    );
  }
  return statements;
}
