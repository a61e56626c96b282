import { databaseRoles } from "../../../model/roles/names";
import { connectionString } from "../../postgres/client-programs";
import { runPsqlOnTerminal } from "../../postgres/psql-on-terminal";
import { withRestrictedLogin } from "../../postgres/restricted-login";

/** Runs psql in this terminal with the rights of a database's owner; returns its exit status. */
export async function psqlAsOwner(database: string, args: readonly string[]): Promise<number> {
  const { owner } = databaseRoles(database);
  return withRestrictedLogin({ role: owner }, async (login) =>
    runPsqlOnTerminal(
      [`--dbname=${connectionString(database)}`, ...args],
      await login.environment(),
    ),
  );
}
