/** Runs inside the agent's container, bundled by masks.ts: masks and defuses a database of a test. */
import { text } from "node:stream/consumers";
import { runDefuse } from "../../../agent/prepare/defuse/run";
import { withConnection } from "../../../agent/postgres/connect";
import { messageOf } from "../../../agent/system/errors";
import { applyMasks, checkMasks } from "../../../agent/prepare/masks/apply";
import type { MasksJob, MasksOutcome } from "./run-masks";

async function main(): Promise<MasksOutcome> {
  const { database, masks, key, defuse } = JSON.parse(await text(process.stdin)) as MasksJob;
  const outcome: MasksOutcome = {};
  const masked = { database, owner: await giveToOwner(database) };
  if (masks) {
    const { problems, plan } = await checkMasks(masked, masks);
    Object.assign(outcome, { problems, plan });
    if (plan) outcome.masked = await applyMasks(masked, plan, key);
  }
  if (defuse) outcome.defused = await runDefuse(masked, defuse);
  return outcome;
}

/** Gives everything in a database to a role without superuser rights, as in a candidate database. Returns the role. */
async function giveToOwner(database: string): Promise<string> {
  const owner = "masks_owner";
  await withConnection(database, async (client) => {
    await client.query(
      `DO $$ BEGIN CREATE ROLE ${owner}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
    );
    const { rows } = await client.query<{ statement: string }>(givingSql, [owner]);
    for (const { statement } of rows) await client.query(statement);
  });
  return owner;
}

const givingSql = `
  SELECT format('ALTER DATABASE %I OWNER TO %I', current_database(), $1::text) AS statement
  UNION ALL
  SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, $1::text) FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
  UNION ALL
  SELECT format('ALTER %s %s OWNER TO %I', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                  WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, c.oid::regclass, $1::text)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  UNION ALL
  SELECT format('ALTER DOMAIN %s OWNER TO %I', t.oid::regtype, $1::text) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype = 'd' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, $1::text) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND p.prokind <> 'a'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`;

void main()
  .catch((error: unknown): MasksOutcome => ({ error: messageOf(error) }))
  .then((outcome) => process.stdout.write(JSON.stringify(outcome)));
