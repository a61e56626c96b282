import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { rolesRequestSchema } from "../model/protocol";

/** A role that may log in. */
export interface RoleArgs {
  /** Name, as it is: capitals and spaces count. */
  readonly name: string;
  /** Its password. It reaches the server through stdin alone, and PostgreSQL keeps a SCRAM verifier of it. */
  readonly password: pulumi.Input<string>;
}

/** Makes the roles when PostgreSQL answers, and again when a container is another one or a password changes. */
export function rolesCommand(
  server: string,
  agent: string,
  roles: readonly RoleArgs[],
  containers: Readonly<Record<string, pulumi.Output<string>>>,
): command.local.CommandArgs {
  const request = pulumi
    .all(roles.map(({ name, password }) => pulumi.all({ name, password })))
    .apply((checked) => JSON.stringify(rolesRequestSchema.parse({ server, roles: checked })));
  return {
    create: 'exec docker exec -i "$AGENT" stagecraft-agent roles',
    environment: { AGENT: agent, ...containers },
    stdin: pulumi.secret(request),
    logging: command.local.Logging.Stderr,
    addPreviousOutputInEnv: false,
  };
}
