import type { UpgradesRequest, UpgradesResult } from "../../../model/upgrades/protocol";
import { databaseRoles } from "../../../model/roles/names";
import { AgentError } from "../../system/errors";
import { waitForPostgres, withConnection } from "../../postgres/connect";
import { dryRunUpgrades } from "./dry-run";
import { inspectUpgrades } from "./run";

/** Which upgrade scripts have been applied to a database and which are pending; a dry run applies them to a copy. */
export async function reportUpgrades(request: UpgradesRequest): Promise<UpgradesResult> {
  const { server, database, mode } = request;
  await waitForPostgres(60);
  await withConnection("postgres", async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [
      database,
    ]);
    if (rowCount === 0) throw new AgentError(`there is no database ${database} on ${server} yet`);
  });
  const { owner } = databaseRoles(database);
  const { versions, states, problems, notes } = await inspectUpgrades(
    { database, owner },
    request.upgrades,
  );
  const dryRun =
    mode === "dry run" && problems.length === 0
      ? await dryRunUpgrades(server, database, request.upgrades)
      : undefined;
  return {
    server,
    database,
    versions: [...versions],
    scripts: [...states],
    problems: [...problems],
    notes: [...notes],
    ...(dryRun && { dryRun }),
  };
}
