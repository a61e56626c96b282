import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { nextRuns } from "../../model/backup/cron";
import type { Pin } from "../../model/backup/catalogue";
import type { backupJobSchema, maintenanceJobSchema } from "../../model/backup/job";
import { defaultRetention, type retentionSchema } from "../../model/backup/retention-policy";
import {
  backupsRequestSchema,
  digestedRequest,
  type BackupsRequest,
} from "../../model/backup/protocol";
import { scheduledJobs, type ScheduledJob } from "../../model/backup/scheduled-jobs";
import type { alertsConfigSchema } from "../../model/backup/alerts";
import type { offsiteConfigSchema } from "../../model/backup/offsite-config";
import { backupsConfigSchema, defaultJobs } from "../../model/stack-file/backups";
import {
  defaultVerification,
  type verificationConfigSchema,
} from "../../model/backup/verification-config";
import type { pointInTimeConfigSchema } from "../../model/stack-file/point-in-time";
import { agentCommand } from "../engine/agent-command";
import { archiveCommand, logArchiveDrift } from "./archive-command";
import { checkArgs } from "../engine/check-args";
import { sha256 } from "../engine/digest";
import type { ServerRef } from "../engine/server-ref";
import { UserError } from "../engine/user-error";

/** A job that makes backups: `schedule`, and what differs from the defaults. See docs/backups.md. */
export type BackupJobArgs = z.input<typeof backupJobSchema>;
/** A job that vacuums and analyzes. */
export type MaintenanceJobArgs = z.input<typeof maintenanceJobSchema>;

/** Which verified backups stay. See docs/backups.md. */
export type KeepArgs = z.input<typeof retentionSchema>;
/** When the newest backup is verified, and how old it may be. */
export type VerifyArgs = z.input<typeof verificationConfigSchema>;
/** Recovery to any moment: `{}`, and what differs from the defaults. See docs/point-in-time.md. */
export type PointInTimeArgs = z.input<typeof pointInTimeConfigSchema>;
/** The ways in which people are told. */
export type AlertsArgs = z.input<typeof alertsConfigSchema>;

/** A place away from the server, and who can read what lies there. */
export type OffsiteArgs = z.input<typeof offsiteConfigSchema>;

/** Which backups a server makes, and when. */
export interface BackupsArgs {
  /** Jobs that make backups, by name. `{}`: none. @default one a night on production and staging, none on development */
  readonly jobs?: Readonly<Record<string, BackupJobArgs>> | undefined;
  /** Jobs that vacuum and analyze, by name. @default none; PostgreSQL's autovacuum does both in any case */
  readonly maintenance?: Readonly<Record<string, MaintenanceJobArgs>> | undefined;
  /** Which of them stay; the others are removed after each verification. @default 7 daily, 4 weekly and 6 monthly ones */
  readonly keep?: KeepArgs | undefined;
  /** When the newest one is restored to see whether it can be, and the age at which a missing one is a fault. @default 05:29 UTC and 26 h where backups are made */
  readonly verify?: VerifyArgs | undefined;
  /** Backups that stay in any case, and who names them. @default none; the project's own stacks give those that their files name */
  readonly pins?: readonly Pin[] | undefined;
  /** Archives what PostgreSQL writes, so that the server can be recovered to any moment. @default nothing is archived */
  readonly pointInTime?: PointInTimeArgs | undefined;
  /** Where each backup is copied to, encrypted. See docs/backups-off-site.md. @default nowhere */
  readonly offsite?: OffsiteArgs | undefined;
  /** Who is told when a backup fails or is late. See docs/alerts.md. @default nobody */
  readonly alerts?: AlertsArgs | undefined;
}

/** What {@link BackupSchedule} is made of. */
export interface BackupScheduleArgs extends BackupsArgs {
  /** The server it is for: one of ours, or an `ExternalPostgres`, which has no `pointInTime`. */
  readonly server: ServerRef;
}

/**
 * The backups that a server's agent makes by itself, and when. A change is put in force at once and restarts nothing;
 * a job that runs goes on. The preview tells when each job runs next.
 *
 * ```ts
 * new BackupSchedule("prod-backups", { server, jobs: { nightly: { schedule: "29 3 * * *" } } });
 * ```
 */
export class BackupSchedule extends pulumi.ComponentResource {
  constructor(name: string, args: BackupScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    const { server, pins = [], ...given } = args;
    const settings = checkArgs(`BackupSchedule "${name}"`, backupsConfigSchema, given);
    const made = settings.jobs ?? defaultJobs(server.kind);
    const request = backupsRequestSchema.parse({
      server: server.server,
      jobs: made,
      maintenance: settings.maintenance ?? {},
      keep: settings.keep ?? defaultRetention,
      verify: settings.verify ?? defaultVerification(made),
      pins,
      offsite: settings.offsite,
      alerts: settings.alerts,
    });
    const jobs = scheduledJobs(request);
    // These are shown at preview when they change.
    super("stagecraft:index:BackupSchedule", name, describe(request), opts);

    const wanted = sha256(digestedRequest(request));
    new command.local.Command(
      name,
      agentCommand(server, {
        area: "backups",
        verb: "backups-schedule",
        request: requestText(request),
        isUpToDate: ({ backups }) => backups.sha256 === wanted,
      }),
      { parent: this, dependsOn: server.ready },
    );
    if (settings.pointInTime) requireArchivable(name, server);
    if (server.archiving !== "external") {
      new command.local.Command(`${name}-archive`, archiveCommand(server, settings.pointInTime), {
        parent: this,
        dependsOn: server.ready,
      });
      logArchiveDrift(this, server.observed);
    }
    if (pulumi.runtime.isDryRun()) logNextRuns(this, jobs);
    this.registerOutputs();
  }
}

function requireArchivable(name: string, server: ServerRef): void {
  const refuse = (why: string): never => {
    throw new UserError(`BackupSchedule "${name}": pointInTime is for servers ${why}`);
  };
  // What a server elsewhere archives is its own business: nobody but PostgreSQL's machine could do it.
  if (server.archiving === "external")
    refuse("that Stagecraft makes; leave it out, or archive on the other server itself");
  if (server.archiving === "off")
    refuse(
      `whose log can be archived; make "${server.server}" with archivable: true, or leave it out`,
    );
}

function describe({ keep, pins, ...request }: BackupsRequest): pulumi.Inputs {
  return {
    jobs: scheduledJobs({ keep, pins, ...request }).map(describeJob),
    keep: Object.entries(keep).map(([rule, value]) => `${rule} ${value}`),
    pins: pins.map(({ backup, by }) => `${backup} (${by})`),
  };
}

/** As a secret where the way to somewhere else is in it. */
function requestText(request: BackupsRequest): pulumi.Input<string> {
  const text = JSON.stringify(request);
  return request.offsite === undefined && request.alerts === undefined ? text : pulumi.secret(text);
}

function describeJob({ kind, name, timing: { schedule, timeZone } }: ScheduledJob): string {
  return `${name} (${kind}): ${schedule} ${timeZone}`;
}

/** Says at preview when each job runs next. */
function logNextRuns(component: pulumi.Resource, jobs: readonly ScheduledJob[]): void {
  for (const { kind, name, timing } of jobs) {
    const moments = nextRuns(timing, new Date(), 5).map(formatMoment);
    void pulumi.log.info(`${name} (${kind}) runs next at ${moments.join(", ")}`, component);
  }
}

const formatMoment = (moment: Date): string =>
  `${moment.toISOString().slice(0, 16).replace("T", " ")} UTC`;
