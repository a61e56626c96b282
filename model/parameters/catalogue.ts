import { catalogue17 } from "./catalogue-17";

/** PostgreSQL major versions with a catalogue of parameters. */
export type PostgresVersion = 17;

/** A parameter as `pg_settings` describes it. PostgreSQL manual, "pg_settings". */
export interface PostgresParameter {
  /** PostgreSQL's name, e.g. `shared_buffers`. */
  readonly name: string;
  readonly vartype: "bool" | "enum" | "integer" | "real" | "string";
  /** Unit of a number without a unit, e.g. `8kB` or `ms`; empty for none. */
  readonly unit: string;
  /** Smallest and largest number, in {@link unit}; `NaN` for other types. */
  readonly min: number;
  readonly max: number;
  /** Values of an enum. */
  readonly choices: readonly string[];
  /** When a change is applied: `postmaster` needs a restart, `internal` cannot be changed. */
  readonly context:
    "internal" | "postmaster" | "sighup" | "superuser-backend" | "backend" | "superuser" | "user";
  /** Default without any configuration. */
  readonly bootValue: string;
}

/**
 * Lists a server's parameters as lines of a catalogue. `internal` parameters have no range and no default.
 *
 * A minor version may add a parameter. Regenerate the catalogue from the server of the image with:
 * `npx vitest run --project agent test/agent/server/parameters-catalogue.test.ts -u`
 */
export const catalogueSql = `
  SELECT concat_ws('|', name, vartype, coalesce(unit, ''), coalesce(own.min, ''), coalesce(own.max, ''),
                   coalesce(array_to_string(enumvals, ','), ''), context, coalesce(own.boot, ''))
  FROM pg_settings, LATERAL (
    SELECT CASE WHEN context <> 'internal' THEN min_val END AS min,
           CASE WHEN context <> 'internal' THEN max_val END AS max,
           CASE WHEN context <> 'internal' THEN boot_val END AS boot) AS own
  WHERE name NOT LIKE '%.%'
  ORDER BY name COLLATE "C"`;

/** The source file of a catalogue. @param lines output of {@link catalogueSql} */
export function renderCatalogue(version: PostgresVersion, lines: string): string {
  return `/** Parameters of PostgreSQL ${version}, generated from pg_settings; see catalogue.ts. */\nexport const catalogue${version} = \`\n${lines}\n\`;\n`;
}

const catalogues: Readonly<Record<PostgresVersion, ReadonlyMap<string, PostgresParameter>>> = {
  17: parseCatalogue(catalogue17),
};

/** All parameters of a version, by PostgreSQL's names. */
export function parametersOf(version: PostgresVersion): ReadonlyMap<string, PostgresParameter> {
  return catalogues[version];
}

function parseCatalogue(text: string): Map<string, PostgresParameter> {
  const parameters = text.trim().split("\n").map(parseLine);
  return new Map(parameters.map((parameter) => [parameter.name, parameter]));
}

function parseLine(line: string): PostgresParameter {
  const [name = "", vartype, unit = "", min = "", max = "", choices = "", context, ...rest] =
    line.split("|");
  return {
    name,
    vartype: vartype as PostgresParameter["vartype"],
    unit,
    min: min === "" ? NaN : Number(min),
    max: max === "" ? NaN : Number(max),
    choices: choices === "" ? [] : choices.split(","),
    context: context as PostgresParameter["context"],
    bootValue: rest.join("|"),
  };
}
