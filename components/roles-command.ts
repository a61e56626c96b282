import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ServerKind } from "../model/names";
import { hasLogin, type People } from "../model/roles/people";
import { rolesRequestSchema } from "../model/roles/protocol";

/** A password for each role that logs in: any printable characters, 8 or more. Another one is set at once, without a restart. */
export interface Passwords {
  /** Of the application's role, which has the database's name. */
  readonly application: string;
  /** Of `<database>_readonly`, which reads everything. */
  readonly readonly: string;
  /** Of `stagecraft_monitor`, which reads statistics. */
  readonly monitor: string;
  /** Of a person who has rights in the databases of this server. */
  readonly [person: string]: string;
}

/** The roles of a server. */
export interface RolesArgs {
  /** The database that they work in. It need not be there yet. */
  readonly database: string;
  /** They reach the server through stdin alone, and PostgreSQL keeps SCRAM verifiers of them. */
  readonly passwords: pulumi.Input<Passwords>;
  /** Who is who. A person with rights on a server of this kind becomes a login role; taken out, that role may not log in any more. @default nobody */
  readonly people?: People | undefined;
}

/** Makes the roles when PostgreSQL answers, and again when a container is another one or something about them changes. */
export function rolesCommand(
  server: string,
  kind: ServerKind,
  agent: string,
  { database, passwords, people = {} }: RolesArgs,
  containers: Readonly<Record<string, pulumi.Output<string>>>,
): command.local.CommandArgs {
  const request = pulumi.output(passwords).apply(({ application, readonly, monitor, ...others }) =>
    JSON.stringify(
      rolesRequestSchema.parse({
        ...{ server, kind, monitor },
        databases: [{ name: database, application, readonly }],
        people: Object.entries(people)
          .filter(([, role]) => hasLogin(kind, role))
          .map(([name, role]) => ({ name, role, password: others[name] })),
      }),
    ),
  );
  return {
    create: 'exec docker exec -i "$AGENT" stagecraft-agent roles',
    environment: { AGENT: agent, ...containers },
    stdin: pulumi.secret(request),
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  };
}
