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
import { checkArgs, checkRequest } from "../engine/check-args";
import { sha256 } from "../engine/digest";
import { protectedCommand } from "../engine/protection";
import type { ServerRef } from "../engine/server-ref";
import { UserError } from "../engine/user-error";

/** A backup job: `schedule`, and whatever differs from the defaults. See docs/backups.md. */
export type BackupJobArgs = z.input<typeof backupJobSchema>;
/** A job that vacuums and analyzes. */
export type MaintenanceJobArgs = z.input<typeof maintenanceJobSchema>;

/** Retention rules for verified backups. See docs/backups.md. */
export type KeepArgs = z.input<typeof retentionSchema>;
/** When the newest backup is verified, and its age limit. */
export type VerifyArgs = z.input<typeof verificationConfigSchema>;
/** Point-in-time recovery: `{}`, and whatever differs from the defaults. See docs/point-in-time.md. */
export type PointInTimeArgs = z.input<typeof pointInTimeConfigSchema>;
/** Notification channels. */
export type AlertsArgs = z.input<typeof alertsConfigSchema>;

/** The off-site storage, and who can decrypt the copies. */
export type OffsiteArgs = z.input<typeof offsiteConfigSchema>;

/** Backups of a server: schedule, retention, verification, off-site copies and alerts. */
export interface BackupsArgs {
  /** Backup jobs by name. `{}`: none. @default nightly on production and staging, none on development */
  readonly jobs?: Readonly<Record<string, BackupJobArgs>> | undefined;
  /** Vacuum and analyze jobs by name. @default none; autovacuum runs anyway */
  readonly maintenance?: Readonly<Record<string, MaintenanceJobArgs>> | undefined;
  /** Retention rules; other backups are removed after each verification. @default 7 daily, 4 weekly and 6 monthly backups */
  readonly keep?: KeepArgs | undefined;
  /** When the newest backup is verified by a restore, and the age at which backups are overdue. @default 05:29 UTC where backup jobs exist, and overdue if it has verified no new backup */
  readonly verify?: VerifyArgs | undefined;
  /** Backups that retention never removes, and what refers to them. @default none; the ready project pins the backups named in its stack files */
  readonly pins?: readonly Pin[] | undefined;
  /** Archives WAL, so that the server can be restored to any point in time. @default WAL is not archived */
  readonly pointInTime?: PointInTimeArgs | undefined;
  /** Off-site storage that each backup is copied to, encrypted. See docs/backups-off-site.md. @default none */
  readonly offsite?: OffsiteArgs | undefined;
  /** Who is notified when a backup fails or is overdue. See docs/alerts.md. @default nobody */
  readonly alerts?: AlertsArgs | undefined;
  /** Public keys that the server's own backups may be signed with besides its present one. @default none */
  readonly signedBy?: readonly string[] | undefined;
}

/** Arguments of {@link BackupSchedule}. */
export interface BackupScheduleArgs extends BackupsArgs {
  /** A `PostgresServer`, or an `ExternalPostgres`, which has no `pointInTime`. */
  readonly server: ServerRef;
}

/**
 * The scheduled jobs of a server's agent: backups, verification, maintenance. A change is applied at once and restarts
 * nothing; a running job continues. The preview shows when each job runs next.
 *
 * ```ts
 * new BackupSchedule("prod-backups", { server, jobs: { nightly: { schedule: "29 3 * * *" } } });
 * ```
 */
export class BackupSchedule extends pulumi.ComponentResource {
  constructor(name: string, args: BackupScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    const { server, pins = [], ...given } = args;
    const settings = checkArgs(`BackupSchedule "${name}"`, backupsConfigSchema, given);
    const backupJobs = settings.jobs ?? defaultJobs(server.kind);
    const request = checkRequest(`BackupSchedule "${name}"`, backupsRequestSchema, {
      server: server.server,
      jobs: backupJobs,
      maintenance: settings.maintenance ?? {},
      keep: settings.keep ?? defaultRetention,
      verify: settings.verify ?? defaultVerification(backupJobs),
      pins,
      offsite: settings.offsite,
      alerts: settings.alerts,
      signedBy: settings.signedBy,
    });
    const jobs = scheduledJobs(request);
    // Shown at preview when they change.
    super("stagecraft:index:BackupSchedule", name, describe(request), opts);

    const declared = sha256(digestedRequest(request));
    new command.local.Command(
      name,
      protectedCommand(
        server,
        "always",
        agentCommand(server, {
          verb: "backups-schedule",
          request: containsCredentials(request) ? pulumi.secret(request) : request,
          isUpToDate: ({ backups }) => backups.sha256 === declared,
        }),
      ),
      { parent: this, dependsOn: server.ready },
    );
    if (settings.pointInTime) requireArchivable(name, server);
    if (server.archiving !== "external") {
      new command.local.Command(
        `${name}-archive`,
        protectedCommand(server, "always", archiveCommand(server, settings.pointInTime)),
        {
          parent: this,
          dependsOn: server.ready,
        },
      );
      logArchiveDrift(this, server.observed);
    }
    if (pulumi.runtime.isDryRun()) logNextRuns(this, jobs);
    this.registerOutputs();
  }
}

function requireArchivable(name: string, server: ServerRef): void {
  const reject = (why: string): never => {
    throw new UserError(`BackupSchedule "${name}": pointInTime is for servers ${why}`);
  };
  // WAL can be archived only on PostgreSQL's own machine.
  if (server.archiving === "external")
    reject("that Stagecraft makes; leave it out, or archive on the other server itself");
  if (server.archiving === "off")
    reject(
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

function containsCredentials({ offsite, alerts }: BackupsRequest): boolean {
  return offsite !== undefined || alerts !== undefined;
}

function describeJob({ kind, name, timing: { schedule, timeZone } }: ScheduledJob): string {
  return `${name} (${kind}): ${schedule} ${timeZone}`;
}

/** Logs at preview when each job runs next. */
function logNextRuns(component: pulumi.Resource, jobs: readonly ScheduledJob[]): void {
  for (const { kind, name, timing } of jobs) {
    const times = nextRuns(timing, new Date(), 5).map(formatTime);
    void pulumi.log.info(`${name} (${kind}) runs next at ${times.join(", ")}`, component);
  }
}

const formatTime = (time: Date): string =>
  `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
