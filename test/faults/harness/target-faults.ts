import type { Fault } from "./faults";
import { database } from "./judge";
import type { World } from "./world";

/** Shell that runs statements in the database. */
const all = (...statements: readonly string[]): string =>
  `psql -qX -v ON_ERROR_STOP=1 -U postgres -d ${database} ${statements.map((sql) => `-c "${sql}"`).join(" ")}`;

/** Roles are the server's, and so in the dump of no database. */
const roleMissing = {
  before: all("CREATE ROLE auditor", "GRANT SELECT ON a, z TO auditor"),
  made: all("DROP OWNED BY auditor", "DROP ROLE auditor"),
};

/** No server has an extension of that name. */
const extensionMissing = {
  before: all(
    "CREATE EXTENSION hstore",
    "ALTER TABLE z ADD more hstore DEFAULT 'a=>1'",
    "UPDATE pg_extension SET extname = 'gone' WHERE extname = 'hstore'",
  ),
};

const mended = async <T>(world: World, work: Promise<T>): Promise<T> =>
  work.finally(async () => world.makeShop());

/** What the server lacks that a backup is restored on. */
export const targetFaults: readonly Fault[] = [
  {
    name: "a role named in grants missing where it is restored",
    ours: async (world) => mended(world, world.ours.attempt(roleMissing)),
    script: async (world) => mended(world, world.script.attempt(roleMissing)),
  },
  {
    name: "an extension missing where it is restored",
    ours: async (world) => mended(world, world.ours.attemptUnfit(extensionMissing)),
    script: async (world) => mended(world, world.script.attempt(extensionMissing)),
  },
];
