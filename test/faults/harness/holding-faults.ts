import { quoteIdentifier } from "../../../model/base/sql";
import type { Fault } from "./faults";
import type { Held, Holding } from "./judge";

/** Where the databases of many are, in memory: a disk would take longer to write them than PostgreSQL to dump them. */
const place = "/var/lib/pgbackrest/many";

/** Its database, with one table that grows. */
const held = (name: string, table: string): Held => ({
  name,
  write: `CREATE TABLE IF NOT EXISTS ${table} (i int); INSERT INTO ${table} SELECT count(*) FROM ${table}`,
});

const create = (databases: readonly Held[], options: string): string =>
  databases.map(({ name }) => `CREATE DATABASE ${quoteIdentifier(name)} ${options};`).join("\n");

/** More than PostgreSQL takes connections, by default. */
const many = Array.from({ length: 120 }, (_, i) => held(`many_${i}`, `of_${i}`));
const odd = [
  `it's "odd"`,
  "of two words",
  "a/b\\c",
  "-x",
  "dbname=shop",
  "$(false)",
  "ünïcode.20261122.032900",
].map((name, i) => held(name, `odd_${i}`));
/** More tables than a transaction may lock, by default: about 7,000. */
const wide = [held("wide", "of_wide")];

/** The same is held by the server when we and the script back it up. @param more How often: what takes long is tried once, as no run differs from another */
function fault(name: string, holding: Holding, more: Pick<Fault, "runs"> = {}): Fault {
  return {
    ...more,
    name,
    ours: async ({ ours }) => ours.attempt({ holding }),
    script: async ({ script }) => script.attempt({ holding }),
  };
}

/** What servers hold that few think of. */
export const holdingFaults: readonly Fault[] = [
  fault(
    "120 databases",
    {
      databases: many,
      make: async (server) => {
        await server.output(["mkdir", "-m", "0700", place]);
        await server.sql("postgres", `CREATE TABLESPACE many LOCATION '${place}'`);
        const options = "TEMPLATE template0 STRATEGY file_copy TABLESPACE many";
        await server.sql("postgres", create(many, options));
      },
    },
    { runs: 1 },
  ),
  fault(
    "a database with 10,000 tables",
    {
      databases: wide,
      make: async (server) =>
        server.createDatabase(
          "wide",
          `DO $$ BEGIN FOR i IN 1..10000 LOOP
             EXECUTE format('CREATE TABLE t%s AS SELECT %s AS i', i, i);
             IF i % 500 = 0 THEN COMMIT; END IF;
           END LOOP; END $$`,
          "STRATEGY file_copy",
        ),
    },
    { runs: 1 },
  ),
  fault("names of databases with quotes and spaces", {
    databases: odd,
    make: async (server) => {
      await server.sql("postgres", create(odd, "TEMPLATE template0"));
    },
  }),
];
