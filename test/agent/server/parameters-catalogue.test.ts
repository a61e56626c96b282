import { expect, test } from "vitest";
import { catalogueSql, renderCatalogue, parametersOf } from "../../../model/parameters/catalogue";
import { canonicalValue, valueProblem } from "../../../model/parameters/value";
import { useServer } from "../../support/servers/server";

const server = useServer();

test("the catalogue is what the server tells of its settings", async () => {
  const told = renderCatalogue(17, await server.sql("postgres", catalogueSql));
  await expect(told).toMatchFileSnapshot("../../../model/parameters/catalogue-17.ts");
});

const numbers = ["0", "1", "-1", "+7", "4096", "0.5", "1.5", "2.5", ".75", "12.", "1e3", "1e-2"];
const oddNumbers = ["0x1F", "30.1", "1073741823", "2147483648", "1e30", "010", "1,5", "", "x", "."];
const units = ["", "B", "kB", "MB", "GB", "TB", "us", "ms", "s", "min", "h", "d", "KB", "mb", "S"];
const words = ["on", "OFF", "o", "of", "t", "tru", "truely", "Yes", "n", "1", "0", "2", "auto"];

/** Settings of every kind that a session may change, and for each every way to write a value. */
const cases: readonly (readonly [name: string, value: string])[] = [
  ...[
    ...[
      "work_mem",
      "min_parallel_table_scan_size",
      "log_parameter_max_length",
      "statement_timeout",
    ],
    ...[
      "log_min_duration_statement",
      "vacuum_cost_delay",
      "random_page_cost",
      "from_collapse_limit",
    ],
    ...["geqo_selection_bias", "temp_file_limit", "wal_skip_threshold"],
  ].flatMap((name) =>
    [...numbers, ...oddNumbers].flatMap((number) =>
      units.flatMap((unit): [string, string][] => [
        [name, `${number}${unit}`],
        [name, `${number}  ${unit} `],
      ]),
    ),
  ),
  ...["jit", "synchronous_commit", "compute_query_id", "xmlbinary", "constraint_exclusion"].flatMap(
    (name) => words.map((word): [string, string] => [name, word]),
  ),
];

test("values are read as PostgreSQL reads them", async () => {
  const answers = await askPostgres();
  const read = cases.map(([name, value]) => {
    const setting = parametersOf(17).get(name);
    if (!setting) throw new Error(name);
    const problem = valueProblem(setting, value, value);
    return problem === undefined ? canonicalValue(setting, value) : "refused";
  });
  const differing = cases
    .map(([name, value], index) => ({ name, value, ours: read[index], its: answers[index] }))
    .filter(({ ours, its, name }) => !isSame(name, ours ?? "", its ?? ""))
    // PostgreSQL reads a zero in front as octal, which nobody means.
    .filter(({ value }) => !value.startsWith("010"));
  expect(differing).toEqual([]);
  expect(cases.length).toBeGreaterThan(7000);
  expect(answers.filter((answer) => answer !== "refused").length).toBeGreaterThan(1000);
});

/** What `pg_settings` says after each value was set, or `refused`. */
async function askPostgres(): Promise<string[]> {
  const json = JSON.stringify(cases).replaceAll("'", "''");
  const answer = await server.sql(
    "postgres",
    `CREATE FUNCTION pg_temp.try(name text, value text) RETURNS text LANGUAGE plpgsql AS $$
     BEGIN
       PERFORM set_config(name, value, true);
       RETURN (SELECT setting FROM pg_settings s WHERE s.name = try.name);
     EXCEPTION WHEN OTHERS THEN RETURN 'refused';
     END $$;
     SELECT json_agg(pg_temp.try(c.one ->> 0, c.one ->> 1) ORDER BY c.nr)
     FROM json_array_elements('${json}') WITH ORDINALITY AS c(one, nr)`,
  );
  return JSON.parse(answer) as string[];
}

/** Its numbers are printed with six digits. */
function isSame(name: string, ours: string, its: string): boolean {
  if (ours === its) return true;
  const [a, b] = [Number(ours), Number(its)];
  return parametersOf(17).get(name)?.vartype === "real" && Math.abs(a - b) <= Math.abs(b) * 1e-5;
}
