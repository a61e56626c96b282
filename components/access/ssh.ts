import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { hasPassphrase } from "../../model/base/private-key";
import { UserError } from "../engine/user-error";

/** How to reach the machine of a server. */
export interface SshArgs {
  /** Host name or IP address. */
  readonly host: string;
  /** 1 to 65535. @default 22 */
  readonly port?: number | undefined;
  /** A user who may write `pg_hba.conf`: `postgres` or `root`. */
  readonly user: string;
  /** Its private key, as PEM, without a passphrase. */
  readonly privateKey: pulumi.Input<string>;
  /**
   * The machine's public key, a line like `ecdsa-sha2-nistp256 AAAA…`; any other key is rejected. It must be the first of
   * `ecdsa`, `rsa` and `ed25519` that the machine has, which `ssh-keyscan -t` shows: Pulumi's plugin asks for them in this order.
   */
  readonly hostKey: string;
}

/** {@link SshArgs} without the private key. */
export const sshSchema = z.strictObject({
  host: z.string().min(1, "must be a host name or an IP address"),
  port: z
    .int()
    .min(1, "must be a port from 1 to 65535")
    .max(65_535, "must be a port from 1 to 65535")
    .default(22),
  user: z.string().min(1, "must be a user who may write pg_hba.conf"),
  hostKey: z
    .string("must be given, so that no other machine can take its place; ssh-keyscan shows it")
    .regex(
      /^(?:ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/]+=*(?: .*)?\n?$/,
      'must be a public key like "ssh-ed25519 AAAA…", without a host name before it',
    ),
});

/** The connection of remote commands. The private key is a secret in Pulumi's state, however it is passed. */
export function sshConnection({
  host,
  port = 22,
  user,
  privateKey,
  hostKey,
}: SshArgs): command.types.input.remote.ConnectionArgs {
  // Three attempts instead of ten for a machine that does not answer.
  const attempts = { dialErrorLimit: 3, perDialTimeout: 10 };
  const key = pulumi.secret(privateKey).apply((text) => {
    if (!hasPassphrase(text)) return text;
    throw new UserError(
      `ssh.privateKey for ${user}@${host} has a passphrase, which nobody can enter; use a key without one: ssh-keygen -p -N '' -f <copy of the key>`,
    );
  });
  return { host, port, user, hostKey, privateKey: key, ...attempts };
}
