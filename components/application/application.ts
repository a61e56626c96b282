import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { relative, resolve } from "node:path";
import { applicationReportSchema, type ApplicationReport } from "../../model/application/report";
import { applicationConfigSchema } from "../../model/stack-file/application";
import { applicationContainer } from "./application-container";
import { checkCommand, filesCommand, registerCommand } from "./application-commands";
import { checkArgs, parseAnswer } from "../engine/check-args";
import type { Database } from "../contents/database";
import { hostOptions } from "../engine/host";
import { imageCommand } from "../engine/image";
import { protectedCommand } from "../engine/protection";
import { buildFolderProblem, digestOfBuild } from "./build-folder";
import { inspectContainer, createdLabel } from "../engine/server-state";
import { serverLabels } from "../engine/part-labels";
import type { PostgresServer } from "../postgres/postgres-server";
import { UserError } from "../engine/user-error";

/** The application of a server. A change of any argument recreates its container. */
export interface ApplicationArgs {
  /** The image, e.g. `"registry.example.com/timesheets:4.2"`. Either this or `build`. */
  readonly image?: string | undefined;
  /** A folder with a `Dockerfile` that the image is built from; `ARG SERVER_IMAGE` names the image of PostgreSQL and the agent. */
  readonly build?: string | undefined;
  /** The published port on 127.0.0.1, 1 to 65535. */
  readonly port: number;
  /** The port it listens on in its container, passed as `PORT`. @default 8080 */
  readonly internalPort?: number | undefined;
  /** Revision of its code, shown to operators and recorded in backup manifests. @default the image's name */
  readonly revision?: string | undefined;
  /** Environment variables. Visible to anyone with access to the Docker engine. @default only those for the database connection */
  readonly environment?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** HTTP path that returns 2xx or 3xx when the application is healthy, e.g. `"/health"`. @default the image's health check */
  readonly healthPath?: string | undefined;
  /** Instead of `healthPath`: a command in its container that exits with 0 when the application is healthy. */
  readonly healthCommand?: string | undefined;
  /** How long it may take to become healthy, e.g. `"90 s"`. @default "60 s" */
  readonly healthLimit?: string | undefined;
  /** How long its log is watched for errors after a refresh, once it is healthy. @default "2 s" */
  readonly watch?: string | undefined;
  /** Regular expression for log lines that report an error. @default the usual log levels and error names */
  readonly errorPattern?: string | undefined;
  /** Memory of its container, e.g. `"1 GB"`. @default "512 MB" */
  readonly memory?: string | undefined;
  /** Numeric user and group id it runs as; not 0. @default 5433 */
  readonly user?: number | undefined;
}

/** Arguments of {@link Application}. */
export interface ApplicationResourceArgs extends ApplicationArgs {
  /** The server it runs on. */
  readonly server: PostgresServer;
  /** Its database. */
  readonly database: Database;
  /** The password of its role, which has the database's name. Its container gets it as a file. */
  readonly password: pulumi.Input<string>;
}

/**
 * The application of a server, in a container of the server's private network.
 *
 * The container gets `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGSSLMODE`, and a `PGPASSFILE` with the password. When
 * the database is restored or refreshed, the application is restarted in the same update. The update fails if it does not
 * become healthy.
 *
 * ```ts
 * new Application("staging-application", { server, database, password, image: "timesheets:4.2", port: 18080 });
 * ```
 */
export class Application extends pulumi.ComponentResource {
  /** The running revision of its code. */
  readonly revision: string;
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** Its state at the last check. */
  readonly report: pulumi.Output<ApplicationReport>;

  constructor(name: string, args: ApplicationResourceArgs, opts?: pulumi.ComponentResourceOptions) {
    const { server, database, password, ...given } = args;
    const settings = checkArgs(`Application "${name}"`, applicationConfigSchema, given);
    const { build } = settings;
    const image = settings.image ?? builtImage(name, build ?? "", server.image);
    const revision = settings.revision ?? image;
    // Shown at preview when they change.
    super("stagecraft:index:Application", name, { image, revision }, opts);
    this.revision = revision;
    this.port = settings.port;

    const { host, names } = server;
    const options = hostOptions(this, name, host);
    const observed = inspectContainer(names.application, host);
    const createdAt = pulumi.output(observed.then((found) => found.createdAt));
    const labels = serverLabels({
      namePrefix: server.namePrefix,
      server: server.server,
      observed: server.observed,
    });
    const volume = new docker.Volume(name, { name: names.applicationVolume, labels }, options);
    const files = new command.local.Command(
      `${name}-files`,
      filesCommand(server, { password, user: settings.user, createdAt }),
      { parent: this, dependsOn: [volume, server.ready] },
    );
    const needed: pulumi.Resource[] = [files, database];
    if (build !== undefined) {
      const context = relative(process.cwd(), resolve(build));
      const from = { host, tag: image, context, serverImage: server.image, createdAt };
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
        labels: createdAt.apply((value) => [...labels, { label: createdLabel, value }]),
      },
      { ...options, dependsOn: needed },
    );
    const registered = new command.local.Command(
      name,
      registerCommand(server, { revision, settings }),
      {
        parent: this,
        dependsOn: server.ready,
      },
    );
    const checked = new command.local.Command(
      `${name}-check`,
      protectedCommand(
        server,
        "destroy",
        checkCommand(server, { database, containerId: container.id, revision, settings }),
      ),
      { parent: this, dependsOn: [container, registered, database] },
    );
    this.report = checked.stdout.apply((text) =>
      parseAnswer(server.server, applicationReportSchema, text),
    );
    void Promise.all([observed, server.observed]).then(([{ fault }, { observation }]) => {
      // The agent has a record of an application that ran before.
      if (observation?.application && fault !== undefined) void pulumi.log.warn(fault, this);
    });
    this.registerOutputs({ port: this.port, report: this.report });
  }
}

/** Tag of the image built from a folder, derived from its contents. */
function builtImage(name: string, build: string, serverImage: string): string {
  const problem = buildFolderProblem(build);
  if (problem !== undefined) throw new UserError(`Application "${name}": build: ${problem}`);
  return `stagecraft-application:${digestOfBuild(build, serverImage)}`;
}
