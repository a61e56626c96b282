import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { connectionRequestSchema, type SslMode } from "../../model/connection/protocol";
import { agentCommand } from "../engine/agent-command";
import type { AgentRef } from "../engine/server-ref";

/** Where a server answers. */
export interface AddressArgs {
  /** Host name or IP address, as the agent's container reaches it: not `localhost`. */
  readonly host: string;
  /** 1 to 65535. @default 5432 */
  readonly port?: number | undefined;
}

/** Who the agent is on a server. */
export interface SuperuserArgs {
  /** A role with the attribute SUPERUSER. */
  readonly name: string;
  /** Its password. It reaches the agent through stdin alone, which keeps it in its volume, readable by itself. */
  readonly password: pulumi.Input<string>;
}

/** How far the server is believed. */
export interface ConnectionTlsArgs {
  /** What its certificate is checked with, as PEM. @default the authorities that every system knows */
  readonly ca?: pulumi.Input<string> | undefined;
  /**
   * `verify-full` checks the certificate and the name in it, `require` encrypts without, `disable` does not encrypt.
   * PostgreSQL manual, 32.19. @default "verify-full"
   */
  readonly mode?: SslMode | undefined;
}

/** Tells the agent where its server is. It connects before it keeps that. */
export function connectionCommand(
  server: AgentRef,
  { host, port }: Required<AddressArgs>,
  { name, password }: SuperuserArgs,
  { ca, mode = "verify-full" }: ConnectionTlsArgs,
): command.local.CommandArgs {
  const request = pulumi.all([password, ca]).apply(([password, ca]) =>
    JSON.stringify(
      connectionRequestSchema.parse({
        server: server.server,
        host,
        port,
        user: name,
        password,
        sslmode: mode,
        ...(ca !== undefined && { ca }),
      }),
    ),
  );
  return agentCommand(server, {
    area: "connection",
    request: pulumi.secret(request),
    isUpToDate: ({ connection }) => connection?.host === host && connection.port === port,
  });
}
