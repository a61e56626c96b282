import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { formatAddress } from "../../model/connection/address";
import { addressHostSchema, sslModes } from "../../model/connection/protocol";
import { hostSchema, localHost } from "../../model/base/host";
import type { ServerKind } from "../../model/base/names";
import { engineNames, type EngineNames } from "../../model/base/engine-names";
import { serverNameSchema } from "../../model/base/server-name";
import { checkArgs } from "../engine/check-args";
import { givenName, logAdvice } from "../engine/given-name";
import {
  connectionCommand,
  type AddressArgs,
  type ConnectionTlsArgs,
  type SuperuserArgs,
} from "./connection-command";
import { logDrift } from "./drift";
import { createExternalParts } from "./external-parts";
import { ExternalPgHba, type ExternalPgHbaChoice } from "../access/external-pg-hba";
import { agentParts, observeServer, type ObservedState } from "../engine/server-state";
import type { ServerRef } from "../engine/server-ref";
import { rolesCommand, type RolesArgs } from "../access/roles-command";
import { sshSchema, type SshArgs } from "../access/ssh";

/** Arguments of {@link ExternalPostgres}. */
export interface ExternalPostgresArgs {
  /**
   * Name of the server in the names of its volumes and containers (`stagecraft-<server>-data`), and for its agent. Set it to
   * rename the resource: with only `aliases` the server keeps the earlier name while the alias is there. Changing it creates a
   * new agent, without backups. @default the resource's name
   */
  readonly server?: string | undefined;
  /** The kind of server; the agent rejects operations that this kind does not allow. */
  readonly kind: ServerKind;
  /** Prefix of the names of the agent's parts. @default "stagecraft" */
  readonly namePrefix?: string | undefined;
  /** Where the agent runs: `"local"`, or another machine, `"ssh://user@host[:port]"`. @default "local" */
  readonly host?: string | undefined;
  /** Address of PostgreSQL. Another address is another server: roles and databases are created there, the old ones stay. */
  readonly address: AddressArgs;
  /** The role that the agent connects as. */
  readonly superuser: SuperuserArgs;
  /** How its certificate is verified. @default certificate and host name are verified */
  readonly tls?: ConnectionTlsArgs | undefined;
  /** The roles of its database, and of users. An existing role of the same name is not taken over. */
  readonly roles: RolesArgs;
  /** Access rules. @default the preset of the server's kind */
  readonly pgHba?: ExternalPgHbaChoice | undefined;
  /** How to reach its machine to apply `pg_hba.conf`. @default the file is only shown */
  readonly ssh?: SshArgs | undefined;
}

const ownSchema = z.strictObject({
  server: serverNameSchema,
  host: hostSchema.default(localHost),
  address: z.strictObject({
    host: addressHostSchema,
    port: z
      .int()
      .min(1, "must be a port from 1 to 65535")
      .max(65_535, "must be a port from 1 to 65535")
      .default(5432),
  }),
  superuser: z.strictObject({ name: z.string().min(1, "must not be empty") }),
  tls: z.strictObject({ mode: z.enum(sslModes).default("verify-full") }),
  ssh: sshSchema.optional(),
});

/**
 * A PostgreSQL server, version 16 to 18, that Stagecraft does not run, and an agent in a container that manages roles and
 * databases on it. Its parameters, its certificate and its other databases are not managed.
 *
 * With `ssh` its `pg_hba.conf` is managed as well; without, {@link pgHba} is the text to install there.
 *
 * ```ts
 * const server = new ExternalPostgres("warehouse", {
 *   kind: "production",
 *   address: { host: "db.example.com" },
 *   superuser: { name: "stagecraft", password },
 *   roles: { database: "timesheets", passwords },
 * });
 * new Database("timesheets", { server, contents: dump, mode: "when missing" });
 * ```
 */
export class ExternalPostgres extends pulumi.ComponentResource implements ServerRef {
  /** Name of the server, e.g. `warehouse`. */
  readonly server: string;
  /** The kind of server. */
  readonly kind: ServerKind;
  /** Where the agent runs: `local`, or the address of a host. */
  readonly host: string;
  /** Names of the agent's parts on the engine. */
  readonly names: EngineNames;
  /** The agent's container and its server's address. Another value means that either changed. */
  readonly agentId: pulumi.Output<string>;
  /** The server's address. */
  readonly postgresId: pulumi.Output<string>;
  /** The whole declared `pg_hba.conf`. */
  readonly pgHba: pulumi.Output<string>;
  /** The state of the server before this update. */
  readonly observed: Promise<ObservedState>;
  /** Its WAL is archived by the server itself, if at all. */
  readonly archiving = "external";
  /** Done when the agent is connected and the roles exist. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: ExternalPostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    const { kind, namePrefix = "stagecraft", superuser, roles, tls = {}, pgHba = {}, ssh } = args;
    const what = `ExternalPostgres "${name}"`;
    const given = givenName(what, "server", name, args.server, opts);
    const checked = checkArgs(what, ownSchema, {
      server: given.name,
      host: args.host,
      address: args.address,
      superuser: { name: superuser.name },
      tls: { mode: tls.mode },
      ssh: ssh && { host: ssh.host, port: ssh.port, user: ssh.user, hostKey: ssh.hostKey },
    });
    const { address, host } = checked;
    const at = formatAddress(address);
    // Shown at preview when they change.
    super("stagecraft:index:ExternalPostgres", name, { address: at }, opts);
    this.server = checked.server;
    this.kind = kind;
    this.host = host;
    this.names = engineNames(namePrefix, this.server);
    this.observed = observeServer(this.names, host, agentParts).then((observed) =>
      ofAddress(observed, address),
    );

    const agent = createExternalParts(this, {
      ...{ name, server: this.server, kind, namePrefix, names: this.names, host },
      observed: this.observed,
    });
    this.postgresId = pulumi.output(at);
    this.agentId = pulumi.interpolate`${agent.id} for ${at}`;
    const connected = new command.local.Command(
      `${name}-connection`,
      connectionCommand(this, address, superuser, tls),
      { parent: this },
    );
    this.ready = new command.local.Command(`${name}-roles`, rolesCommand(this, roles), {
      parent: this,
      dependsOn: connected,
    });
    const { mode } = checked.tls;
    const rules = new ExternalPgHba(
      `${name}-pg-hba`,
      {
        ...{ ...pgHba, server: this, database: roles.database },
        ...{ superuser: superuser.name, tls: mode !== "disable", after: this.ready },
        ssh: ssh && checked.ssh && { ...checked.ssh, privateKey: ssh.privateKey },
      },
      { parent: this },
    );
    this.pgHba = pulumi.output(rules.text);

    logAdvice(this, given);
    logDrift(this, roles.people);
    this.registerOutputs({ agent: this.names.agent, pgHba: this.pgHba });
  }
}

/** What the agent observed at another address says nothing about this server. */
function ofAddress(observed: ObservedState, { host, port }: Required<AddressArgs>): ObservedState {
  const seen = observed.observation?.connection;
  return seen?.host === host && seen.port === port
    ? observed
    : { ...observed, observation: undefined };
}
