import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { areRolesUpToDate } from "../../model/roles/drift";
import { hasLogin, peopleWithLogin, type People } from "../../model/roles/people";
import { rolesRequestSchema } from "../../model/roles/protocol";
import { agentCommand } from "../engine/agent-command";
import { checkRequest } from "../engine/check-args";
import type { AgentRef } from "../engine/server-ref";

/** A password for each login role: 8 or more printable characters. A change is applied at once, without a restart. */
export interface Passwords {
  /** Of the application's role, which has the database's name. */
  readonly application: string;
  /** Of `<database>_readonly`, which reads everything. */
  readonly readonly: string;
  /** Of `stagecraft_monitor`, which reads statistics. */
  readonly monitor: string;
  /** Of a user who has rights in the databases of this server. */
  readonly [person: string]: string;
}

/** The roles of a server. */
export interface RolesArgs {
  /** The database. It need not exist yet. */
  readonly database: string;
  /** Sent to the agent on stdin only. PostgreSQL stores SCRAM verifiers. */
  readonly passwords: pulumi.Input<Passwords>;
  /** Users and their team roles. A user with rights on a server of this kind gets a login role; a removed user can no longer log in. @default none */
  readonly people?: People | undefined;
}

/** Creates the roles and grants their rights. */
export function rolesCommand(
  server: AgentRef,
  { database, passwords, people = {} }: RolesArgs,
): command.local.CommandArgs {
  const { kind } = server;
  const request = pulumi.output(passwords).apply(({ application, readonly, monitor, ...others }) =>
    checkRequest(`roles of ${server.server}`, rolesRequestSchema, {
      server: server.server,
      kind,
      monitor,
      databases: [{ name: database, application, readonly }],
      people: Object.entries(people)
        .filter(([, role]) => hasLogin(kind, role))
        .map(([name, role]) => ({ name, role, password: others[name] })),
    }),
  );
  const logins = peopleWithLogin(kind, people);
  return agentCommand(server, {
    verb: "roles",
    request: pulumi.secret(request),
    isUpToDate: ({ roles }) => areRolesUpToDate(roles, logins),
  });
}
