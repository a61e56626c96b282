import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { hostSchema, localHost } from "../../model/base/host";
import type { ServerKind } from "../../model/base/names";
import { checkParameters } from "../../model/parameters/check";
import type { PostgresParameters } from "../../model/parameters/typed-parameters";
import { engineNames, type EngineNames } from "../../model/base/engine-names";
import { planMemory } from "../../model/stack-file/memory";
import { postgresSchema } from "../../model/stack-file/schema";
import { traceParameters } from "../../model/parameters/trace-parameters";
import { walParameters } from "../../model/parameters/wal-parameters";
import { tlsResultSchema } from "../../model/tls/protocol";
import { parseBytes } from "../../model/base/units";
import { serverNameSchema } from "../../model/base/server-name";
import { checkArgs, parseAnswer } from "../engine/check-args";
import { givenName, logAdvice } from "../engine/given-name";
import { logDrift, logParameterChange } from "./drift";
import { createEngineParts } from "./engine-parts";
import { observeServer, type ObservedState } from "../engine/server-state";
import { PgHba, type PgHbaChoice } from "../access/pg-hba";
import { rolesCommand, type RolesArgs } from "../access/roles-command";
import type { Archiving, ServerRef } from "../engine/server-ref";
import { parametersCommand } from "./parameters-command";
import { tlsCommand, type TlsArgs } from "../access/tls-command";

/** PostgreSQL itself. */
export interface PostgresArgs {
  /** Major version. Only 17 so far. @default 17 */
  readonly version?: 17 | undefined;
  /** The published port, 1 to 65535. Changing it restarts PostgreSQL. */
  readonly port: number;
  /**
   * The host's address that the port is published on, `"0.0.0.0"` for all; `pgHba` decides who may connect. Changing it
   * restarts PostgreSQL. @default "127.0.0.1"
   */
  readonly address?: string | undefined;
  /**
   * Memory of PostgreSQL's container, e.g. `"4 GB"`; at least `"256 MB"`. A quarter of it becomes `shared_buffers`.
   * Changing it restarts PostgreSQL. @default "1 GB"
   */
  readonly memory?: string | undefined;
  /**
   * PostgreSQL's parameters, checked against those of its version.
   * @default PostgreSQL's defaults, with memory parameters derived from `memory` and logging by the server's kind
   */
  readonly settings?: PostgresParameters | undefined;
}

/** Arguments of {@link PostgresServer}. */
export interface PostgresServerArgs {
  /**
   * Name of the server in the names of its volumes and containers (`stagecraft-<server>-data`), and for its agent. Set it to
   * rename the resource: with only `aliases` the server keeps the earlier name while the alias is there. Changing it creates a
   * new, empty server. @default the resource's name
   */
  readonly server?: string | undefined;
  /** The kind of server; the agent rejects operations that this kind does not allow. */
  readonly kind: ServerKind;
  /**
   * Prefix of all names on the engine. Changing it creates a new, empty server; on production the old volumes stay.
   * @default "stagecraft"
   */
  readonly namePrefix?: string | undefined;
  /** Where it runs: `"local"`, or another machine, `"ssh://user@host[:port]"`. Changing it creates a new server there. @default "local" */
  readonly host?: string | undefined;
  /** PostgreSQL itself. */
  readonly postgres: PostgresArgs;
  /** The server certificate. @default issued by the server's own CA */
  readonly tls?: TlsArgs | undefined;
  /** Access rules. @default the preset of the server's kind */
  readonly pgHba?: PgHbaChoice | undefined;
  /** The roles of its database, and of users. */
  readonly roles: RolesArgs;
  /**
   * The volume of another server's backups that the agent may read, e.g. `stagecraft-prod-backups`. Changing it recreates
   * the agent's container. @default none
   */
  readonly backupsOf?: string | undefined;
  /** Whether the volumes stay on the engine when the stack is destroyed. @default false */
  readonly keepVolumes?: boolean | undefined;
  /**
   * Whether WAL can be archived for `pointInTime`, or streamed to a replica. If false, a restore writes its rows once
   * instead of twice. `wal_level` in `settings` has precedence. Changing it restarts PostgreSQL. @default true
   */
  readonly archivable?: boolean | undefined;
}

const argsSchema = z.strictObject({
  server: serverNameSchema,
  host: hostSchema.default(localHost),
});

/**
 * PostgreSQL in a container of its own, with the agent beside it, on a private network.
 *
 * It is published on 127.0.0.1 unless another address is given. The superuser has no password: only the agent connects as
 * superuser, through the Unix socket. Resources that need PostgreSQL depend on {@link ready}.
 *
 * ```ts
 * const roles = { database: "timesheets", passwords };
 * new PostgresServer("dev", { kind: "development", postgres: { port: 15432 }, roles });
 * ```
 */
export class PostgresServer extends pulumi.ComponentResource implements ServerRef {
  /** Name of the server, e.g. `dev`. */
  readonly server: string;
  /** The kind of server. */
  readonly kind: ServerKind;
  /** Where it runs: `local`, or the address of a host. */
  readonly host: string;
  /** Names of its parts on the engine. */
  readonly names: EngineNames;
  /** Prefix of the names of its parts. */
  readonly namePrefix: string;
  /** The host's address that it is published on: `127.0.0.1`, `0.0.0.0`. */
  readonly address: string;
  /** The published port. */
  readonly port: number;
  /** The tag of the image with PostgreSQL and the agent. */
  readonly image: string;
  /** Whether its volumes stay on the engine when the stack is destroyed. */
  readonly isProtected: boolean;
  /** Whether its WAL can be archived. */
  readonly archiving: Archiving;
  /** Name of its network. */
  readonly network: pulumi.Output<string>;
  /** Whether its certificate was issued by its own CA. */
  readonly ownCertificate: boolean;
  /** Id of the agent's container. Another id means that it was recreated. */
  readonly agentId: pulumi.Output<string>;
  /** Id of PostgreSQL's container. */
  readonly postgresId: pulumi.Output<string>;
  /** The CA that clients verify the server certificate with, as PEM; `null` for a public CA. */
  readonly ca: pulumi.Output<string | null>;
  /** The state of the server before this update. */
  readonly observed: Promise<ObservedState>;
  /** Done when PostgreSQL accepts connections and the roles exist. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: PostgresServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("stagecraft:index:PostgresServer", name, {}, opts);
    const what = `PostgresServer "${name}"`;
    const given = givenName(what, "server", name, args.server, opts);
    const { host, server } = checkArgs(what, argsSchema, { server: given.name, host: args.host });
    const settings = checkArgs(`${what}: postgres`, postgresSchema, args.postgres);
    const {
      namePrefix = "stagecraft",
      kind,
      keepVolumes = false,
      archivable = true,
      roles,
      tls = {},
      pgHba = {},
      backupsOf,
    } = args;
    const { address, port } = settings;
    const memory = parseBytes(settings.memory) ?? 0;
    const declared = checkParameters(settings.settings ?? {}, { version: 17, memory }).parameters;
    this.server = server;
    this.kind = kind;
    this.address = address;
    this.port = port;
    this.names = engineNames(namePrefix, server);
    this.namePrefix = namePrefix;
    this.host = host;
    this.isProtected = keepVolumes;
    this.archiving = archivable ? "available" : "off";
    this.ownCertificate = tls.certificate === undefined;
    this.observed = observeServer(this.names, host);

    const plan = planMemory(memory);
    const { image, network, postgres, agent } = createEngineParts(this, {
      ...{ name, server, kind, namePrefix, names: this.names, host, address, port, keepVolumes },
      ...{ memory: plan, observed: this.observed, backupsOf },
      parameters: {
        ...plan.parameters,
        ...walParameters(archivable, declared),
        ...traceParameters(kind),
      },
    });
    this.image = image;
    this.network = network.name;
    this.agentId = agent.id;
    this.postgresId = postgres.id;
    // A restart that a parameter needs comes before anything that it would interrupt.
    const parameters = new command.local.Command(
      `${name}-settings`,
      parametersCommand(this, declared),
      {
        parent: this,
      },
    );
    this.ready = new command.local.Command(`${name}-roles`, rolesCommand(this, roles), {
      parent: this,
      dependsOn: parameters,
    });
    const certificate = new command.local.Command(`${name}-tls`, tlsCommand(this, tls), {
      parent: this,
      dependsOn: parameters,
    });
    new PgHba(
      `${name}-pg-hba`,
      {
        ...pgHba,
        server: this,
        database: roles.database,
        people: roles.people,
        clientCa: tls.clientCa !== undefined,
        after: certificate,
      },
      { parent: this },
    );
    this.ca = certificate.stdout.apply((stdout) => parseAnswer(server, tlsResultSchema, stdout).ca);

    logAdvice(this, given);
    logDrift(this, roles.people);
    logParameterChange(this, declared);
    this.registerOutputs({ port, agent: this.names.agent });
  }
}
