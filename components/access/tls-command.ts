import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { isWildcardAddress } from "../../model/base/host";
import { coversName } from "../../model/tls/certificate-name";
import { tlsRequestSchema } from "../../model/tls/protocol";
import { agentCommand } from "../engine/agent-command";
import type { AgentRef } from "../engine/server-ref";

/** The server certificate. */
export interface TlsArgs {
  /** Further names and addresses that clients use; they are added to the self-issued certificate. @default none */
  readonly names?: readonly string[] | undefined;
  /** A certificate to use instead of the self-issued one, with its chain, as PEM. @default issued by the server's own CA and renewed automatically */
  readonly certificate?: pulumi.Input<string> | undefined;
  /** Its key, as PEM. Sent to the agent on stdin only. */
  readonly key?: pulumi.Input<string> | undefined;
  /** The CA that clients verify it with, as PEM. */
  readonly ca?: pulumi.Input<string> | undefined;
  /**
   * The CA certificates that PostgreSQL verifies client certificates with, as PEM, for rules with `cert` or `clientcert`. A client
   * that sends a certificate of another CA is then rejected. A change is applied by a reload. @default none
   */
  readonly clientCa?: pulumi.Input<string> | undefined;
}

/** Names that clients on the same machine use. */
const ownNames = ["localhost", "127.0.0.1", "::1"];

/** Installs or renews the server certificate and turns TLS on. stdout is the JSON of `tlsResultSchema`. */
export function tlsCommand(
  server: AgentRef & { readonly address: string },
  { names = [], certificate, key, ca, clientCa }: TlsArgs,
): command.local.CommandArgs {
  const address = isWildcardAddress(server.address) ? [] : [server.address];
  const certificateNames = [...new Set([...ownNames, ...address, server.names.postgres, ...names])];
  const request = pulumi
    .all([certificate, key, ca, clientCa])
    .apply(([certificate, key, ca, clientCa]) =>
      tlsRequestSchema.parse({
        server: server.server,
        names: certificateNames,
        certificate,
        key,
        ca,
        clientCa,
      }),
    );
  return agentCommand(server, {
    verb: "tls",
    request: key === undefined ? request : pulumi.secret(request),
    isUpToDate: ({ tls }) =>
      tls.on &&
      (tls.clientCa ?? false) === (clientCa !== undefined) &&
      tls.given === (certificate !== undefined) &&
      (tls.given || certificateNames.every((name) => coversName(tls.names, name))),
  });
}
