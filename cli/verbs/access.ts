import { accessText } from "../../model/pg-hba/judge/access-text";
import { parsePgHba } from "../../model/pg-hba/text/parse";
import { ownNetwork, requiredAccess } from "../../model/pg-hba/judge/required";
import { scopeOf } from "../../model/pg-hba/judge/scope";
import { Problem } from "../base/problem";
import { readStackFile } from "../project/project";
import { lookAtServers } from "../server/server-status";
import { stackKinds, type StackName } from "../project/stacks";

/** `stagecraft access`: who can connect to a server from where, by the rules that are in place. */
export async function access(folder: string, stack: StackName): Promise<void> {
  const { settings } = readStackFile(folder, stack);
  const [server] = await lookAtServers(folder, [stack]);
  const database = settings.database?.name;
  if (server?.observation === undefined || database === undefined) {
    throw new Problem(`${stack} is not up`, `npm start -- ${stack}`);
  }
  const { pgHba, interfaces } = server.observation;
  const { rules } = parsePgHba(pgHba.text);
  const application = settings.pgHba?.application ?? ownNetwork;
  const required = requiredAccess(stackKinds[stack], database, application);
  const scope = scopeOf({ database, application, rules, required, interfaces });
  console.log(accessText(stack, undefined, rules, scope));
}
