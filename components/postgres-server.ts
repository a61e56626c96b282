import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { join, relative } from "node:path";
import type { ServerKind } from "../model/names";
import { rolesRequestSchema } from "../model/protocol";
import { engineLabels, engineNames, type EngineNames } from "../model/settings/engine-names";
import { planMemory } from "../model/settings/memory";
import { postgresSchema } from "../model/settings/schema";
import { parseBytes } from "../model/units";
import { serverImage } from "../tools/server-image";
import { checkArgs } from "./check-args";
import { containerDefaults, healthcheck } from "./container-defaults";
import { observe } from "./machine/docker";

/** The project folder: paths in the state are kept from there, so that the project may be moved. */
export const projectFolder = join(__dirname, "..");

/** How long PostgreSQL may take to stop before the engine kills it. */
const stopSeconds = 120;

/** PostgreSQL itself. */
export interface PostgresArgs {
  /** Major version. Only 17 so far. @default 17 */
  readonly version?: 17;
  /** The port on 127.0.0.1 where PostgreSQL answers, 1 to 65535. Changing it restarts PostgreSQL. */
  readonly port: number;
  /**
   * Memory of PostgreSQL's container, e.g. `"4 GB"`; at least `"256 MB"`. A quarter of it becomes `shared_buffers`.
   * Changing it restarts PostgreSQL. @default "1 GB"
   */
  readonly memory?: string;
}

/** A role that may log in. */
export interface RoleArgs {
  /** Name, as it is: capitals and spaces count. */
  readonly name: string;
  /** Its password. It reaches the server through stdin alone, and PostgreSQL keeps a SCRAM verifier of it. */
  readonly password: pulumi.Input<string>;
}

/** What {@link PostgresServer} is made of. */
export interface PostgresServerArgs {
  /** What kind of server it is; the agent refuses what does not befit it. */
  readonly kind: ServerKind;
  /**
   * What all names on the engine begin with. Changing it makes a new, empty server; on production the old volumes stay.
   * @default "stagecraft"
   */
  readonly namePrefix?: string;
  /** PostgreSQL itself. */
  readonly postgres: PostgresArgs;
  /** Roles that may log in. One that is taken out of the list stays on the server. */
  readonly roles: readonly RoleArgs[];
  /** Whether the volumes stay on the engine when the stack is destroyed. @default false */
  readonly keepVolumes?: boolean;
}

/**
 * PostgreSQL in a container of its own, with the agent beside it, on a private network.
 *
 * Nothing but 127.0.0.1 reaches it from outside. Its superuser has no password: only the agent reaches it, through the
 * Unix socket. Whatever needs PostgreSQL depends on {@link ready}.
 *
 * ```ts
 * new PostgresServer("dev", { kind: "development", postgres: { port: 15432 }, roles: [] });
 * ```
 */
export class PostgresServer extends pulumi.ComponentResource {
  /** Name of the server, e.g. `dev`. */
  readonly server: string;
  /** What kind of server it is. */
  readonly kind: ServerKind;
  /** Names of its parts on the engine. */
  readonly names: EngineNames;
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** Id of the agent's container; another one means that it was made anew. */
  readonly agentId: pulumi.Output<string>;
  /** Done when PostgreSQL answers and the roles are there. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: PostgresServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("stagecraft:index:PostgresServer", name, {}, opts);
    const settings = checkArgs(this, `PostgresServer "${name}": postgres`, postgresSchema, args.postgres);
    const { namePrefix = "stagecraft", kind } = args;
    this.server = name;
    this.kind = kind;
    this.names = engineNames(namePrefix, name);
    this.port = settings.port;
    const labels = toLabels(engineLabels(namePrefix, name));
    const memory = planMemory(parseBytes(settings.memory) ?? 0);

    const image = this.image(name);
    const network = new docker.Network(`${name}-network`, { name: this.names.network, labels }, { parent: this });
    const volume = (use: string, volumeName: string, keep = false): docker.Volume =>
      new docker.Volume(
        `${name}-${use}`,
        { name: volumeName, labels },
        { parent: this, retainOnDelete: keep },
      );
    const data = volume("data", this.names.dataVolume, args.keepVolumes);
    const run = volume("run", this.names.runVolume);
    const kept = volume("agent", this.names.agentVolume, args.keepVolumes);

    const postgres = new docker.Container(
      `${name}-postgres`,
      {
        ...containerDefaults,
        name: this.names.postgres,
        image: image.imageId,
        command: ["stagecraft-postgres", ...toArguments(memory.parameters)],
        envs: [`STAGECRAFT_SERVER=${name}`],
        labels,
        networksAdvanced: [{ name: network.name }],
        ports: [{ internal: 5432, external: settings.port, ip: "127.0.0.1" }],
        volumes: [mount(data, "/var/lib/postgresql/data"), mount(run, "/run/postgresql")],
        memory: memory.container,
        shmSize: memory.sharedMemory,
        // SIGINT is PostgreSQL's fast shutdown; SIGKILL would mean crash recovery. PostgreSQL manual, 18.5.
        stopSignal: "SIGINT",
        stopTimeout: stopSeconds,
        destroyGraceSeconds: stopSeconds,
        healthcheck: healthcheck("pg_isready", "-q", "-h", "/run/postgresql"),
      },
      { parent: this },
    );
    const agent = new docker.Container(
      `${name}-agent`,
      {
        ...containerDefaults,
        name: this.names.agent,
        image: image.imageId,
        command: ["stagecraft-agent", "serve"],
        envs: [`STAGECRAFT_SERVER=${name}`, `STAGECRAFT_KIND=${kind}`],
        labels,
        networksAdvanced: [{ name: network.name }],
        volumes: [
          mount(data, "/var/lib/postgresql/data"),
          mount(run, "/run/postgresql"),
          mount(kept, "/var/lib/stagecraft"),
        ],
        destroyGraceSeconds: 30,
        healthcheck: healthcheck("stagecraft-agent", "health"),
      },
      { parent: this },
    );
    this.agentId = agent.id;
    this.ready = this.roles(name, args.roles, postgres, agent);
    this.registerOutputs({ port: this.port, agent: this.names.agent });
  }

  private image(name: string): docker.RemoteImage {
    const { tag, context } = serverImage(projectFolder);
    return new docker.RemoteImage(
      `${name}-image`,
      { name: tag, build: { context: relative(projectFolder, context) }, keepLocally: true },
      { parent: this },
    );
  }

  private roles(
    name: string,
    roles: readonly RoleArgs[],
    postgres: docker.Container,
    agent: docker.Container,
  ): command.local.Command {
    const request = pulumi
      .output(roles.map((role) => ({ name: role.name, password: pulumi.output(role.password) })))
      .apply((checked) => JSON.stringify(rolesRequestSchema.parse({ server: name, roles: checked })));
    return new command.local.Command(
      `${name}-roles`,
      {
        create: 'exec docker exec -i "$AGENT" stagecraft-agent roles',
        environment: { AGENT: this.names.agent, AGENT_ID: agent.id, POSTGRES_ID: postgres.id },
        stdin: pulumi.secret(request),
        logging: command.local.Logging.Stderr,
        addPreviousOutputInEnv: false,
      },
      { parent: this },
    );
  }
}
