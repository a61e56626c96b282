import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { isEveryAddress } from "../../model/base/host";
import { coversName } from "../../model/tls/names";
import { tlsRequestSchema } from "../../model/tls/protocol";
import { agentCommand, type CommandedServer } from "../engine/agent-command";

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
  server: string,
  commanded: CommandedServer & { readonly address: string },
  { names = [], certificate, key, ca }: TlsArgs,
): command.local.CommandArgs {
  const address = isEveryAddress(commanded.address) ? [] : [commanded.address];
  const wanted = [...new Set([...ownNames, ...address, commanded.names.postgres, ...names])];
  const request = pulumi
    .all([certificate, key, ca])
    .apply(([certificate, key, ca]) =>
      JSON.stringify(tlsRequestSchema.parse({ server, names: wanted, certificate, key, ca })),
    );
  return agentCommand(commanded, {
    area: "tls",
    request: key === undefined ? request : pulumi.secret(request),
    isAsWanted: ({ tls }) =>
      tls.on &&
      tls.given === (certificate !== undefined) &&
      (tls.given || wanted.every((name) => coversName(tls.names, name))),
  });
}
