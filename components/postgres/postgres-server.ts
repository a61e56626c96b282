import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { hostSchema, localHost } from "../../model/base/host";
import type { ServerKind } from "../../model/base/names";
import { checkParameters } from "../../model/parameters/check";
import type { PostgresParameters } from "../../model/parameters/typed";
import { engineNames, type EngineNames } from "../../model/base/engine-names";
import { planMemory } from "../../model/stack-file/memory";
import { postgresSchema } from "../../model/stack-file/schema";
import { walParameters } from "../../model/parameters/write-ahead-log";
import { tlsResultSchema } from "../../model/tls/protocol";
import { parseBytes } from "../../model/base/units";
import { checkArgs } from "../engine/check-args";
import { logDrift, logParameterChange } from "./drift";
import { makeEngineParts } from "./engine-parts";
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
  /** The port of {@link address} where PostgreSQL answers, 1 to 65535. Changing it restarts PostgreSQL. */
  readonly port: number;
  /**
   * The host's address where PostgreSQL answers, `"0.0.0.0"` for all; who may connect is `pgHba`'s to say. Changing it
   * restarts PostgreSQL. @default "127.0.0.1"
   */
  readonly address?: string | undefined;
  /**
   * Memory of PostgreSQL's container, e.g. `"4 GB"`; at least `"256 MB"`. A quarter of it becomes `shared_buffers`.
   * Changing it restarts PostgreSQL. @default "1 GB"
   */
  readonly memory?: string | undefined;
  /** Settings of PostgreSQL, checked against what its version knows. @default PostgreSQL's own, with memory shared out */
  readonly settings?: PostgresParameters | undefined;
}

/** What {@link PostgresServer} is made of. */
export interface PostgresServerArgs {
  /** What kind of server it is; the agent refuses what does not befit it. */
  readonly kind: ServerKind;
  /**
   * What all names on the engine begin with. Changing it makes a new, empty server; on production the old volumes stay.
   * @default "stagecraft"
   */
  readonly namePrefix?: string | undefined;
  /** Where it runs: `"local"`, or another machine, `"ssh://user@host[:port]"`. Changing it makes a new server there. @default "local" */
  readonly host?: string | undefined;
  /** PostgreSQL itself. */
  readonly postgres: PostgresArgs;
  /** The server's certificate. @default one of its own CA */
  readonly tls?: TlsArgs | undefined;
  /** Who may connect. @default the preset of the server's kind */
  readonly pgHba?: PgHbaChoice | undefined;
  /** The roles of its database, and of people. */
  readonly roles: RolesArgs;
  /**
   * The volume of another server's backups that the agent may read, e.g. `stagecraft-prod-backups`. Changing it makes the
   * agent's container anew. @default none
   */
  readonly backupsOf?: string | undefined;
  /** Whether the volumes stay on the engine when the stack is destroyed. @default false */
  readonly keepVolumes?: boolean | undefined;
  /**
   * Whether its log can be archived for `pointInTime`, or followed by a replica. Without, a restore writes its rows once
   * rather than twice. `wal_level` and its like in the settings come first. Changing it restarts PostgreSQL. @default true
   */
  readonly archivable?: boolean | undefined;
}

const placeSchema = z.strictObject({ host: hostSchema.default(localHost) });

/**
 * PostgreSQL in a container of its own, with the agent beside it, on a private network.
 *
 * Nothing but 127.0.0.1 reaches it from outside, unless another address is given. Its superuser has no password: only the agent reaches it, through the
 * Unix socket. Whatever needs PostgreSQL depends on {@link ready}.
 *
 * ```ts
 * const roles = { database: "timesheets", passwords };
 * new PostgresServer("dev", { kind: "development", postgres: { port: 15432 }, roles });
 * ```
 */
export class PostgresServer extends pulumi.ComponentResource implements ServerRef {
  /** Name of the server, e.g. `dev`. */
  readonly server: string;
  /** What kind of server it is. */
  readonly kind: ServerKind;
  /** Where it runs: `local` or an address. */
  readonly host: string;
  /** Names of its parts on the engine. */
  readonly names: EngineNames;
  /** What the names of its parts begin with. */
  readonly namePrefix: string;
  /** The host's address where it answers: `127.0.0.1`, `0.0.0.0`. */
  readonly address: string;
  /** The port of that address. */
  readonly port: number;
  /** The tag of the image with PostgreSQL and the agent. */
  readonly image: string;
  /** Whether its WAL can be archived. */
  readonly archiving: Archiving;
  /** Name of its network. */
  readonly network: pulumi.Output<string>;
  /** Whether its certificate is one of its own CA. */
  readonly ownCertificate: boolean;
  /** Id of the agent's container; another one means that it was made anew. */
  readonly agentId: pulumi.Output<string>;
  /** Id of PostgreSQL's container. */
  readonly postgresId: pulumi.Output<string>;
  /** What clients check the server's certificate with, as PEM; `null` for one that systems know. */
  readonly ca: pulumi.Output<string | null>;
  /** What of it is on the engine now, before this update. */
  readonly observed: Promise<ObservedState>;
  /** Done when PostgreSQL answers and the roles are there. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: PostgresServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("stagecraft:index:PostgresServer", name, {}, opts);
    const { host } = checkArgs(`PostgresServer "${name}"`, placeSchema, { host: args.host });
    const settings = checkArgs(`PostgresServer "${name}": postgres`, postgresSchema, args.postgres);
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
    const wanted = checkParameters(settings.settings ?? {}, { version: 17, memory }).settings;
    this.server = name;
    this.kind = kind;
    this.address = address;
    this.port = port;
    this.names = engineNames(namePrefix, name);
    this.namePrefix = namePrefix;
    this.host = host;
    this.archiving = archivable ? "available" : "off";
    this.ownCertificate = tls.certificate === undefined;
    this.observed = observeServer(this.names, host);

    const plan = planMemory(memory);
    const { image, network, postgres, agent } = makeEngineParts(this, {
      ...{ server: name, kind, namePrefix, names: this.names, host, address, port, keepVolumes },
      ...{ memory: plan, observed: this.observed, backupsOf },
      parameters: { ...plan.parameters, ...walParameters(archivable, wanted) },
    });
    this.image = image;
    this.network = network.name;
    this.agentId = agent.id;
    this.postgresId = postgres.id;
    // A restart for a setting comes before anything that would be interrupted by it.
    const inForce = new command.local.Command(`${name}-settings`, parametersCommand(this, wanted), {
      parent: this,
    });
    this.ready = new command.local.Command(`${name}-roles`, rolesCommand(this, roles), {
      parent: this,
      dependsOn: inForce,
    });
    const certificate = new command.local.Command(`${name}-tls`, tlsCommand(this, tls), {
      parent: this,
      dependsOn: inForce,
    });
    new PgHba(
      `${name}-pg-hba`,
      { ...pgHba, server: this, database: roles.database, after: certificate },
      { parent: this },
    );
    this.ca = certificate.stdout.apply((stdout) => tlsResultSchema.parse(JSON.parse(stdout)).ca);

    logDrift(this, roles.people);
    logParameterChange(this, wanted);
    this.registerOutputs({ port, agent: this.names.agent });
  }
}
