import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { relative } from "node:path";
import type { ServerKind } from "../model/names";
import { peopleWithoutLogin } from "../model/roles/people";
import { engineLabels, engineNames, type EngineNames } from "../model/settings/engine-names";
import { planMemory } from "../model/settings/memory";
import { postgresSchema } from "../model/settings/schema";
import { parseBytes } from "../model/units";
import { serverImage } from "../tools/server-image";
import { checkArgs } from "./check-args";
import { agentContainer, imageArgs, postgresContainer, toLabels } from "./containers";
import { look, madeLabel, type RenewedPart, type Sight } from "./machine/sight";
import { rolesCommand, type RolesArgs } from "./roles-command";

/** PostgreSQL itself. */
export interface PostgresArgs {
  /** Major version. Only 17 so far. @default 17 */
  readonly version?: 17 | undefined;
  /** The port on 127.0.0.1 where PostgreSQL answers, 1 to 65535. Changing it restarts PostgreSQL. */
  readonly port: number;
  /**
   * Memory of PostgreSQL's container, e.g. `"4 GB"`; at least `"256 MB"`. A quarter of it becomes `shared_buffers`.
   * Changing it restarts PostgreSQL. @default "1 GB"
   */
  readonly memory?: string | undefined;
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
  /** PostgreSQL itself. */
  readonly postgres: PostgresArgs;
  /** The roles of its database, and of people. */
  readonly roles: RolesArgs;
  /** Whether the volumes stay on the engine when the stack is destroyed. @default false */
  readonly keepVolumes?: boolean | undefined;
}

/**
 * PostgreSQL in a container of its own, with the agent beside it, on a private network.
 *
 * Nothing but 127.0.0.1 reaches it from outside. Its superuser has no password: only the agent reaches it, through the
 * Unix socket. Whatever needs PostgreSQL depends on {@link ready}.
 *
 * ```ts
 * const roles = { database: "timesheets", passwords };
 * new PostgresServer("dev", { kind: "development", postgres: { port: 15432 }, roles });
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
  /** What of it is on the engine now, before this update. */
  readonly sight: Promise<Sight>;
  /** Done when PostgreSQL answers and the roles are there. */
  readonly ready: pulumi.Resource;

  constructor(name: string, args: PostgresServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("stagecraft:index:PostgresServer", name, {}, opts);
    const settings = checkArgs(`PostgresServer "${name}": postgres`, postgresSchema, args.postgres);
    const { namePrefix = "stagecraft", kind, keepVolumes: retainOnDelete = false } = args;
    const { port } = settings;
    const names = engineNames(namePrefix, name);
    const labels = toLabels(engineLabels(namePrefix, name));
    const sight = look(names);
    // A part that is gone or stopped gets another label, and so Pulumi replaces it.
    const madeLabels = (part: RenewedPart) =>
      pulumi
        .output(sight)
        .apply(({ made }) => [...labels, { label: madeLabel, value: made[part] }]);
    const project = process.cwd(); // Pulumi runs every program in its project folder.
    const { tag, context } = serverImage(project);
    const volume = (use: string, args: docker.VolumeArgs, options = {}): docker.Volume =>
      new docker.Volume(`${name}-${use}`, { ...args, labels }, { parent: this, ...options });

    const image = new docker.RemoteImage(
      `${name}-image`,
      imageArgs(tag, relative(project, context)),
      { parent: this },
    );
    const network = new docker.Network(
      `${name}-network`,
      { name: names.network, labels: madeLabels("network") },
      { parent: this },
    );
    const data = volume("data", { name: names.dataVolume }, { retainOnDelete });
    const run = volume("run", { name: names.runVolume });
    const store = volume("agent", { name: names.agentVolume }, { retainOnDelete });
    const place = { server: name, kind, names, image, network, data, run, store };
    const postgres = new docker.Container(
      `${name}-postgres`,
      {
        ...postgresContainer(place, port, planMemory(parseBytes(settings.memory) ?? 0)),
        labels: madeLabels("postgres"),
      },
      { parent: this },
    );
    const agent = new docker.Container(
      `${name}-agent`,
      { ...agentContainer(place), labels: madeLabels("agent") },
      { parent: this },
    );
    this.ready = new command.local.Command(
      `${name}-roles`,
      rolesCommand(name, kind, names.agent, args.roles, {
        AGENT_ID: agent.id,
        POSTGRES_ID: postgres.id,
      }),
      { parent: this },
    );

    void sight.then(({ faults }) => faults.map((fault) => pulumi.log.warn(fault, this)));
    for (const text of peopleWithoutLogin(kind, args.roles.people ?? {}))
      void pulumi.log.info(text, this);
    this.server = name;
    this.kind = kind;
    this.names = names;
    this.port = port;
    this.agentId = agent.id;
    this.sight = sight;
    this.registerOutputs({ port, agent: names.agent });
  }
}
