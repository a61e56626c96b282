import { withConnection } from "../postgres/connect";
import {
  reassignLargeObjects,
  reassignExtensionRoutines,
  reassignToOwner,
} from "../server/roles/ownership";
import { correctRights } from "../server/roles/rights";
import { databaseRoles } from "../../model/roles/names";

/**
 * Grants this server's roles their rights in a candidate database, and revokes rights that the dump granted beyond them.
 * The candidate already belongs to the owner.
 */
export async function grantRights(candidate: string, database: string): Promise<void> {
  await withConnection(candidate, async (client) => {
    await reassignToOwner(client, database);
    await reassignLargeObjects(client, databaseRoles(database).owner, database);
    await reassignExtensionRoutines(client);
    await correctRights(client, database);
  });
}
