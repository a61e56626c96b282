import { withConnection } from "../postgres/connect";
import { giveLargeObjects, keepExtensionRoutines, takeOwnership } from "../server/roles/ownership";
import { mendRights } from "../server/roles/rights";
import { databaseRoles } from "../../model/roles/names";

/**
 * Gives the roles of this server their rights in a restored copy, and takes away what the dump gave them beyond that.
 * The copy belongs to the owner already.
 */
export async function grantRights(copy: string, database: string): Promise<void> {
  await withConnection(copy, async (client) => {
    await takeOwnership(client, database);
    await giveLargeObjects(client, databaseRoles(database).owner, database);
    await keepExtensionRoutines(client);
    await mendRights(client, database);
  });
}
