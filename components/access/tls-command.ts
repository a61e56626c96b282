import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { isWildcardAddress } from "../../model/base/host";
import { coversName } from "../../model/tls/names";
import { tlsRequestSchema } from "../../model/tls/protocol";
import { agentCommand } from "../engine/agent-command";
import type { AgentRef } from "../engine/server-ref";

/** The server's certificate. */
export interface TlsArgs {
  /** Further names and addresses that clients reach the server by; they stand in our certificate. @default none */
  readonly names?: readonly string[] | undefined;
  /** A certificate to use instead of our own, with its chain, as PEM. @default one of the server's own CA, renewed in time */
  readonly certificate?: pulumi.Input<string> | undefined;
  /** Its key, as PEM. It reaches the server through stdin alone. */
  readonly key?: pulumi.Input<string> | undefined;
  /** What clients check it with, as PEM. */
  readonly ca?: pulumi.Input<string> | undefined;
}

/** What clients on the same machine call the server. */
const ownNames = ["localhost", "127.0.0.1", "::1"];

/** Sees to the server's certificate and turns TLS on. stdout is the JSON of `tlsResultSchema`. */
export function tlsCommand(
  server: AgentRef & { readonly address: string },
  { names = [], certificate, key, ca }: TlsArgs,
): command.local.CommandArgs {
  const address = isWildcardAddress(server.address) ? [] : [server.address];
  const wanted = [...new Set([...ownNames, ...address, server.names.postgres, ...names])];
  const request = pulumi
    .all([certificate, key, ca])
    .apply(([certificate, key, ca]) =>
      JSON.stringify(
        tlsRequestSchema.parse({ server: server.server, names: wanted, certificate, key, ca }),
      ),
    );
  return agentCommand(server, {
    area: "tls",
    request: key === undefined ? request : pulumi.secret(request),
    isUpToDate: ({ tls }) =>
      tls.on &&
      tls.given === (certificate !== undefined) &&
      (tls.given || wanted.every((name) => coversName(tls.names, name))),
  });
}
