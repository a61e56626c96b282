import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { connectionRequestSchema, type SslMode } from "../../model/connection/protocol";
import { agentCommand } from "../engine/agent-command";
import { checkRequest } from "../engine/check-args";
import type { AgentRef } from "../engine/server-ref";

/** Address of a PostgreSQL server. */
export interface AddressArgs {
  /** Host name or IP address, as seen from the agent's container: not `localhost`. */
  readonly host: string;
  /** 1 to 65535. @default 5432 */
  readonly port?: number | undefined;
}

/** The role that the agent connects as. */
export interface SuperuserArgs {
  /** A role with the attribute SUPERUSER. */
  readonly name: string;
  /** Its password. Sent to the agent on stdin only, and stored in the agent's volume, readable by the agent only. */
  readonly password: pulumi.Input<string>;
}

/** How the server's certificate is verified. */
export interface ConnectionTlsArgs {
  /** The CA that its certificate is verified with, as PEM. @default the system's CAs */
  readonly ca?: pulumi.Input<string> | undefined;
  /**
   * `verify-full` checks the certificate and the name in it, `require` encrypts without, `disable` does not encrypt.
   * PostgreSQL manual, 32.19. @default "verify-full"
   */
  readonly mode?: SslMode | undefined;
}

/** Configures the agent's connection to its server. The agent stores it after a successful connection. */
export function connectionCommand(
  server: AgentRef,
  { host, port }: Required<AddressArgs>,
  { name, password }: SuperuserArgs,
  { ca, mode = "verify-full" }: ConnectionTlsArgs,
): command.local.CommandArgs {
  const request = pulumi.all([password, ca]).apply(([password, ca]) =>
    checkRequest(`ExternalPostgres "${server.server}"`, connectionRequestSchema, {
      server: server.server,
      host,
      port,
      user: name,
      password,
      sslmode: mode,
      ...(ca !== undefined && { ca }),
    }),
  );
  return agentCommand(server, {
    verb: "connection",
    request: pulumi.secret(request),
    isUpToDate: ({ connection }) => connection?.host === host && connection.port === port,
  });
}
