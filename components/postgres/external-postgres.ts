import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { formatAddress } from "../../model/connection/address";
import { addressHostSchema, sslModes } from "../../model/connection/protocol";
import { hostSchema, localHost } from "../../model/base/host";
import type { ServerKind } from "../../model/base/names";
import { engineNames, type EngineNames } from "../../model/base/engine-names";
import { checkArgs } from "../engine/check-args";
import {
  connectionCommand,
  type AddressArgs,
  type ConnectionTlsArgs,
  type SuperuserArgs,
} from "./connection-command";
import { logDrift } from "./drift";
import { makeExternalParts } from "./external-parts";
import { ExternalPgHba, type ExternalPgHbaChoice } from "../access/external-pg-hba";
import { agentParts, observeServer, type ObservedState } from "../engine/server-state";
import type { ServerRef } from "../engine/server-ref";
import { rolesCommand, type RolesArgs } from "../access/roles-command";
import { sshSchema, type SshArgs } from "../access/ssh";

/** What {@link ExternalPostgres} is made of. */
export interface ExternalPostgresArgs {
  /** What kind of server it is; the agent refuses what does not befit it. */
  readonly kind: ServerKind;
  /** What the names of the agent's parts begin with. @default "stagecraft" */
  readonly namePrefix?: string | undefined;
  /** Where the agent runs: `"local"`, or another machine, `"ssh://user@host[:port]"`. @default "local" */
  readonly host?: string | undefined;
  /** Where PostgreSQL answers. Another address is another server: its roles and databases are made there, the old ones stay. */
  readonly address: AddressArgs;
  /** Who the agent is there. */
  readonly superuser: SuperuserArgs;
  /** How far the server is believed. @default its certificate is checked, and the name in it */
  readonly tls?: ConnectionTlsArgs | undefined;
  /** The roles of its database, and of people. A role of such a name that is there already is not taken over. */
  readonly roles: RolesArgs;
  /** Who may connect. @default the preset of the server's kind */
  readonly pgHba?: ExternalPgHbaChoice | undefined;
  /** How to reach its machine, to put `pg_hba.conf` in force. @default the text is only shown */
  readonly ssh?: SshArgs | undefined;
}

const ownSchema = z.strictObject({
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
 * A PostgreSQL server that Stagecraft has not made, version 16 to 18, and an agent in a container that looks after
 * roles and databases on it. Its settings, its certificate and its other databases are its own.
 *
 * With `ssh` its `pg_hba.conf` is looked after as well; without, {@link pgHba} is the text to hand over.
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
  /** What kind of server it is. */
  readonly kind: ServerKind;
  /** Where the agent runs: `local` or an address. */
  readonly host: string;
  /** Names of the agent's parts on the engine. */
  readonly names: EngineNames;
  /** The agent's container and where its server is; another one means that either is new. */
  readonly agentId: pulumi.Output<string>;
  /** The server's address. */
  readonly postgresId: pulumi.Output<string>;
  /** The whole `pg_hba.conf` that is wanted. */
  readonly pgHba: pulumi.Output<string>;
  /** What of it is there now, before this update. */
  readonly observed: Promise<ObservedState>;
  /** Its WAL is archived by the server itself, if at all. */
  readonly archiving = "external";
  /** Done when PostgreSQL has been reached and the roles are there. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: ExternalPostgresArgs, opts?: pulumi.ComponentResourceOptions) {
    const { kind, namePrefix = "stagecraft", superuser, roles, tls = {}, pgHba = {}, ssh } = args;
    const checked = checkArgs(`ExternalPostgres "${name}"`, ownSchema, {
      host: args.host,
      address: args.address,
      superuser: { name: superuser.name },
      tls: { mode: tls.mode },
      ssh: ssh && { host: ssh.host, port: ssh.port, user: ssh.user, hostKey: ssh.hostKey },
    });
    const { address, host } = checked;
    const server = formatAddress(address);
    // These are shown at preview when they change.
    super("stagecraft:index:ExternalPostgres", name, { address: server }, opts);
    this.server = name;
    this.kind = kind;
    this.host = host;
    this.names = engineNames(namePrefix, name);
    this.observed = observeServer(this.names, host, agentParts).then((observed) =>
      ofAddress(observed, address),
    );

    const agent = makeExternalParts(this, {
      ...{ server: name, kind, namePrefix, names: this.names, host, observed: this.observed },
    });
    this.postgresId = pulumi.output(server);
    this.agentId = pulumi.interpolate`${agent.id} for ${server}`;
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

    logDrift(this, roles.people);
    this.registerOutputs({ agent: this.names.agent, pgHba: this.pgHba });
  }
}

/** What an agent sees of another server than the wanted one says nothing of this one. */
function ofAddress(observed: ObservedState, { host, port }: Required<AddressArgs>): ObservedState {
  const seen = observed.observation?.connection;
  return seen?.host === host && seen.port === port
    ? observed
    : { ...observed, observation: undefined };
}
