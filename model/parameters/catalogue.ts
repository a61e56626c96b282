import { catalogue17 } from "./catalogue-17";

/** Major versions whose settings are known. */
export type PostgresVersion = 17;

/** What PostgreSQL tells of a setting in `pg_settings`. PostgreSQL manual, "pg_settings". */
export interface PostgresSetting {
  /** PostgreSQL's own name, e.g. `shared_buffers`. */
  readonly name: string;
  readonly vartype: "bool" | "enum" | "integer" | "real" | "string";
  /** What a bare number counts, e.g. `8kB` or `ms`; empty for none. */
  readonly unit: string;
  /** Least and greatest number, in units; `NaN` for what is no number. */
  readonly min: number;
  readonly max: number;
  /** The choices of an enum. */
  readonly choices: readonly string[];
  /** When a change is taken over: `postmaster` needs a restart, `internal` cannot be changed at all. */
  readonly context:
    "internal" | "postmaster" | "sighup" | "superuser-backend" | "backend" | "superuser" | "user";
  /** The value without any configuration. */
  readonly bootValue: string;
}

/**
 * Lists the settings of a server as the lines of the catalogue. What a server finds out about itself has no boot value.
 *
 * A new minor version may bring another setting. The catalogue is made anew, from the image's server, by:
 * `npx vitest run --project agent test/agent/settings-catalogue.test.ts -u`
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

/** The source text of a catalogue. */
export function renderCatalogue(version: PostgresVersion, lines: string): string {
  return `/** Settings of PostgreSQL ${version}, made by the server itself; see catalogue.ts. */\nexport const catalogue${version} = \`\n${lines}\n\`;\n`;
}

const catalogues: Readonly<Record<PostgresVersion, ReadonlyMap<string, PostgresSetting>>> = {
  17: parseCatalogue(catalogue17),
};

/** All settings of a version, by PostgreSQL's own names. */
export function settingsOf(version: PostgresVersion): ReadonlyMap<string, PostgresSetting> {
  return catalogues[version];
}

function parseCatalogue(text: string): Map<string, PostgresSetting> {
  const settings = text.trim().split("\n").map(parseLine);
  return new Map(settings.map((setting) => [setting.name, setting]));
}

function parseLine(line: string): PostgresSetting {
  const [name = "", vartype, unit = "", min = "", max = "", choices = "", context, ...rest] =
    line.split("|");
  return {
    name,
    vartype: vartype as PostgresSetting["vartype"],
    unit,
    min: min === "" ? NaN : Number(min),
    max: max === "" ? NaN : Number(max),
    choices: choices === "" ? [] : choices.split(","),
    context: context as PostgresSetting["context"],
    bootValue: rest.join("|"),
  };
}
