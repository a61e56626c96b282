import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { relative, resolve } from "node:path";
import { applicationReportSchema, type ApplicationReport } from "../../model/application/report";
import { applicationConfigSchema } from "../../model/stack-file/application";
import { applicationContainer } from "./application-container";
import { checkCommand, filesCommand, registerCommand } from "./application-commands";
import { checkArgs } from "../engine/check-args";
import type { Database } from "../contents/database";
import { hostOptions } from "../engine/host";
import { imageCommand } from "../engine/image";
import { buildFolderProblem, digestOfBuild } from "./build-folder";
import { inspectContainer, createdLabel } from "../engine/server-state";
import { serverLabels } from "../engine/part-labels";
import type { PostgresServer } from "../postgres/postgres-server";
import { UserError } from "../engine/user-error";

/** The application of a server. Whatever differs from one run of it to another replaces its container. */
export interface ApplicationArgs {
  /** The image it runs from, e.g. `"registry.example.com/timesheets:4.2"`. This or `build`. */
  readonly image?: string | undefined;
  /** A folder with a `Dockerfile` that the image is built from; `ARG SERVER_IMAGE` names the image of PostgreSQL and the agent. */
  readonly build?: string | undefined;
  /** The port on 127.0.0.1 where it answers, 1 to 65535. */
  readonly port: number;
  /** The port where it listens in its container; it finds it as `PORT`. @default 8080 */
  readonly internalPort?: number | undefined;
  /** Which revision of its code that is, for people and for the manifests of backups. @default the image's name */
  readonly revision?: string | undefined;
  /** Variables of its environment. Everybody who may ask the engine can read them. @default none besides where its database is */
  readonly environment?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** What it answers with a status from 200 to 399 when it is well, e.g. `"/health"`. @default what the image says */
  readonly healthPath?: string | undefined;
  /** Instead of `healthPath`: a command in its container that ends with 0 when it is well. */
  readonly healthCommand?: string | undefined;
  /** How long it may take to become well, e.g. `"90 s"`. @default "60 s" */
  readonly healthLimit?: string | undefined;
  /** How long its log is watched for errors after a refresh, once it is well. @default "2 s" */
  readonly watch?: string | undefined;
  /** What a line of its log that tells of an error looks like, as a regular expression. @default levels and names of errors as programs usually write them */
  readonly errorPattern?: string | undefined;
  /** Memory of its container, e.g. `"1 GB"`. @default "512 MB" */
  readonly memory?: string | undefined;
  /** The number of the user and group it runs as; not 0. @default 5433 */
  readonly user?: number | undefined;
}

/** What {@link Application} is made of. */
export interface ApplicationResourceArgs extends ApplicationArgs {
  /** The server it is on. */
  readonly server: PostgresServer;
  /** Its database. */
  readonly database: Database;
  /** The password of its role, which has the database's name. It reaches its container as a file. */
  readonly password: pulumi.Input<string>;
}

/**
 * The application of a server, in a container of the server's private network.
 *
 * It finds its database by `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER` and `PGSSLMODE`, and its password in the file that
 * `PGPASSFILE` names. When the database is given other contents, it is restarted in the same update, which fails when it
 * does not become well with them.
 *
 * ```ts
 * new Application("staging-application", { server, database, password, image: "timesheets:4.2", port: 18080 });
 * ```
 */
export class Application extends pulumi.ComponentResource {
  /** Which revision of its code runs. */
  readonly revision: string;
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** How it was when it was looked at last. */
  readonly report: pulumi.Output<ApplicationReport>;

  constructor(name: string, args: ApplicationResourceArgs, opts?: pulumi.ComponentResourceOptions) {
    const { server, database, password, ...given } = args;
    const settings = checkArgs(`Application "${name}"`, applicationConfigSchema, given);
    const { build } = settings;
    const image = settings.image ?? builtImage(name, build ?? "", server.image);
    const revision = settings.revision ?? image;
    // These are shown at preview when they change.
    super("stagecraft:index:Application", name, { image, revision }, opts);
    this.revision = revision;
    this.port = settings.port;

    const { host, names } = server;
    const there = hostOptions(this, name, host);
    const observed = inspectContainer(names.application, host);
    const made = pulumi.output(observed.then((found) => found.made));
    const labels = serverLabels({
      namePrefix: server.namePrefix,
      server: server.server,
      observed: server.observed,
    });
    const volume = new docker.Volume(name, { name: names.applicationVolume, labels }, there);
    const files = new command.local.Command(
      `${name}-files`,
      filesCommand(server, { password, user: settings.user, made }),
      { parent: this, dependsOn: [volume, server.ready] },
    );
    const needed: pulumi.Resource[] = [files, database];
    if (build !== undefined) {
      const context = relative(process.cwd(), resolve(build));
      const from = { host, tag: image, context, serverImage: server.image, made };
      needed.push(
        new command.local.Command(`${name}-image`, imageCommand(from), {
          parent: this,
          dependsOn: server.ready,
        }),
      );
    }
    const container = new docker.Container(
      name,
      {
        ...applicationContainer({
          ...{ server: server.server, names, settings, image, revision, files: volume },
          ...{ database: database.name, ownCertificate: server.ownCertificate },
          network: [{ name: server.network }],
        }),
        labels: made.apply((moment) => [...labels, { label: createdLabel, value: moment }]),
      },
      { ...there, dependsOn: needed },
    );
    const told = new command.local.Command(name, registerCommand(server, { revision, settings }), {
      parent: this,
      dependsOn: server.ready,
    });
    const checked = new command.local.Command(
      `${name}-check`,
      checkCommand(server, { database, containerId: container.id, revision, settings }),
      { parent: this, dependsOn: [container, told, database] },
    );
    this.report = checked.stdout.apply((text) => applicationReportSchema.parse(JSON.parse(text)));
    void Promise.all([observed, server.observed]).then(([{ fault }, { observation }]) => {
      // One that the agent knows of has been there.
      if (observation?.application && fault !== undefined) void pulumi.log.warn(fault, this);
    });
    this.registerOutputs({ port: this.port, report: this.report });
  }
}

/** The image that a folder makes, by its contents. */
function builtImage(name: string, build: string, serverImage: string): string {
  const problem = buildFolderProblem(build);
  if (problem !== undefined) throw new UserError(`Application "${name}": build: ${problem}`);
  return `stagecraft-application:${digestOfBuild(build, serverImage)}`;
}
