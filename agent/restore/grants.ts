import { withConnection } from "../postgres/connect";
import {
  reassignLargeObjects,
  reassignExtensionRoutines,
  reassignToOwner,
} from "../server/roles/ownership";
import { correctRights } from "../server/roles/rights";
import { databaseRoles } from "../../model/roles/names";

/**
 * Gives the roles of this server their rights in a restored copy, and takes away what the dump gave them beyond that.
 * The copy belongs to the owner already.
 */
export async function grantRights(copy: string, database: string): Promise<void> {
  await withConnection(copy, async (client) => {
    await reassignToOwner(client, database);
    await reassignLargeObjects(client, databaseRoles(database).owner, database);
    await reassignExtensionRoutines(client);
    await correctRights(client, database);
  });
}
