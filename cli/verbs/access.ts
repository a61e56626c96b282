import { accessText } from "../../model/pg-hba/judge/access-text";
import { rulesOnServer } from "../../model/pg-hba/text/rules-on-server";
import { ownNetwork, requiredAccess } from "../../model/pg-hba/judge/required-access";
import { accessScope } from "../../model/pg-hba/judge/access-scope";
import { peopleAccess } from "../../model/roles/people-access";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/stack-file";
import { inspectServers } from "../server/server-status";
import { stackKinds, type StackName } from "../project/stacks";

/** `stagecraft access`: shows who can connect to a server from where, by its active pg_hba rules. */
export async function runAccess(folder: string, stack: StackName): Promise<void> {
  const { settings } = readStackFile(folder, stack);
  const [server] = await inspectServers(folder, [stack]);
  const database = settings.database?.name;
  if (server?.observation === undefined || database === undefined) {
    throw new Problem(`${stack} is not running`, `npm start -- ${stack}`);
  }
  const { pgHba, interfaces, postgresVersion } = server.observation;
  const rules = rulesOnServer(pgHba, postgresVersion);
  const application = settings.pgHba?.application ?? ownNetwork;
  const kind = stackKinds[stack];
  const required = requiredAccess(kind, database, application, settings.pgHba);
  const people = peopleAccess(kind, database, settings.people ?? {});
  const scope = accessScope({ database, application, rules, required, interfaces, people });
  console.log(accessText(stack, undefined, rules, scope));
}
