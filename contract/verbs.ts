import { json, stream, text } from "./verb";

const alerts = () => import("../model/backup/alerts-protocol.js");
const application = () => import("../model/application/protocol.js");
const applicationReport = () => import("../model/application/report.js");
const availableBackups = () => import("../model/restore/available-backups.js");
const backups = () => import("../model/backup/protocol.js");
const catalogue = () => import("../model/backup/catalogue-protocol.js");
const connection = () => import("../model/connection/protocol.js");
const observation = () => import("../model/observation/observation.js");
const offsite = () => import("../model/backup/offsite-protocol.js");
const parameters = () => import("../model/parameters/protocol.js");
const pgHba = () => import("../model/pg-hba/rule/protocol.js");
const plan = () => import("../model/restore/refresh-plan.js");
const pointInTime = () => import("../model/point-in-time/protocol.js");
const recover = () => import("../model/restore/recover-protocol.js");
const restore = () => import("../model/restore/protocol.js");
const roles = () => import("../model/roles/protocol.js");
const tls = () => import("../model/tls/protocol.js");
const upgrades = () => import("../model/upgrades/protocol.js");
const verify = () => import("../model/backup/verification-protocol.js");

/**
 * The verbs of the agent: `docker exec -i <agent> stagecraft-agent <verb> <arguments>`. A request is JSON on stdin, with
 * the name of the server it is for; the answer is on stdout; progress, and why a verb failed, on stderr.
 *
 * The adapter of a verb is `agent/verbs/<name>.ts`. Names are a contract with the stacks' states: an old state's command
 * still calls `application-forget`.
 */
export const verbs = {
  // Serve and observe
  serve: stream(),
  scratch: stream(),
  observe: json({ answer: async () => (await observation()).observationSchema }),
  databases: json({ answer: async () => (await restore()).databasesResultSchema }),
  connection: json({
    area: "connection",
    request: async () => (await connection()).connectionRequestSchema,
    answer: async () => (await connection()).connectionResultSchema,
  }),

  // Restore and refresh
  receive: stream({ arguments: ["sha256", "database", "mode", "folder?"] }),
  "backups-at-hand": json({
    arguments: ["repository?"],
    answer: async () => (await availableBackups()).availableBackupsSchema,
  }),
  "copies-at-hand": json({
    request: async () => (await availableBackups()).availableCopiesRequestSchema,
    answer: async () => (await availableBackups()).availableBackupsSchema,
  }),
  plan: json({
    request: async () => (await restore()).restoreRequestSchema,
    answer: async () => (await plan()).refreshPlanSchema,
  }),
  restore: json({
    request: async () => (await restore()).restoreRequestSchema,
    answer: async () => (await restore()).restoreResultSchema,
    failure: ({ result, text }) => (result === "failed" ? text : undefined),
  }),
  recover: json({
    request: async () => (await recover()).recoverRequestSchema,
    answer: async () => (await recover()).recoverResultSchema,
    failure: ({ others, text }) =>
      others.databases.some(({ result }) => result === "failed") ? text : undefined,
  }),
  upgrades: json({
    request: async () => (await upgrades()).upgradesRequestSchema,
    answer: async () => (await upgrades()).upgradesResultSchema,
  }),

  // Backups
  "backups-schedule": json({
    area: "backups",
    request: async () => (await backups()).backupsRequestSchema,
    answer: async () => (await backups()).backupsResultSchema,
  }),
  backup: json({
    request: async () => (await backups()).backupRequestSchema,
    answer: async () => (await backups()).jobResultSchema,
    failure: ({ succeeded, text }) => (succeeded ? undefined : text),
  }),
  job: json({
    arguments: ["kind", "name"],
    answer: async () => (await backups()).jobResultSchema,
    failure: ({ succeeded, text }) => (succeeded ? undefined : text),
    endsWithAnswer: true,
  }),
  "keep-state": stream(),
  backups: json({
    request: async () => (await catalogue()).catalogueRequestSchema,
    answer: async () => (await catalogue()).catalogueSchema,
  }),
  "backups-forget": json({
    request: async () => (await catalogue()).pruneRequestSchema,
    answer: async () => (await catalogue()).pruneResultSchema,
  }),
  "backups-delete": json({
    request: async () => (await catalogue()).deleteRequestSchema,
    answer: async () => (await catalogue()).deleteResultSchema,
  }),
  "backups-send": stream({ arguments: ["id"] }),
  "alerts-test": json({
    request: async () => (await alerts()).alertsTestRequestSchema,
    answer: async () => (await alerts()).alertsTestResultSchema,
  }),

  // Off-site copies
  offsite: json({
    request: async () => (await offsite()).offsiteListRequestSchema,
    answer: async () => (await offsite()).offsiteListSchema,
  }),
  "offsite-upload": json({
    request: async () => (await offsite()).offsiteUploadRequestSchema,
    answer: async () => (await offsite()).offsiteUploadSchema,
    failure: ({ copies }) =>
      copies.flatMap(({ copy }) => (copy.result === "failed" ? [copy.text] : [])).join("\n") ||
      undefined,
  }),
  "offsite-fetch": json({
    request: async () => (await offsite()).offsiteFetchSchema,
    answer: async () => (await offsite()).offsiteFetchedSchema,
  }),

  // Verification
  verify: json({
    request: async () => (await verify()).verifyRequestSchema,
    answer: async () => (await verify()).verifyResultSchema,
    failure: ({ verification }) =>
      verification?.result === "failed" ? verification.text : undefined,
  }),

  // Access: roles, pg_hba.conf, TLS
  roles: json({
    area: "roles",
    request: async () => (await roles()).rolesRequestSchema,
    answer: async () => (await roles()).rolesResultSchema,
  }),
  "pg-hba": json({
    area: "pg-hba",
    request: async () => (await pgHba()).pgHbaRequestSchema,
    answer: async () => (await pgHba()).pgHbaResultSchema,
  }),
  "pg-hba-check": json({
    request: async () => (await pgHba()).pgHbaRequestSchema,
    answer: async () => (await pgHba()).hbaLocationSchema,
  }),
  // Also rules that are rolled back are recorded: the next update tries them again as a whole.
  "pg-hba-try": json({
    area: "pg-hba",
    request: async () => (await pgHba()).pgHbaRequestSchema,
    answer: async () => (await pgHba()).hbaTrialSchema,
  }),
  tls: json({
    area: "tls",
    request: async () => (await tls()).tlsRequestSchema,
    answer: async () => (await tls()).tlsResultSchema,
  }),

  // PostgreSQL's parameters
  settings: json({
    area: "settings",
    request: async () => (await parameters()).parametersRequestSchema,
    answer: async () => (await parameters()).parametersResultSchema,
    waits: ({ restart }) => restart.length > 0,
  }),
  "settings-confirm": json({
    area: "settings",
    request: async () => (await parameters()).parametersRequestSchema,
    answer: async () => (await parameters()).parametersConfirmedSchema,
  }),

  psql: stream({ arguments: ["database", "words..."] }),

  // Point in time
  archive: json({
    area: "archive",
    request: async () => (await pointInTime()).archiveRequestSchema,
    answer: async () => (await pointInTime()).archiveResultSchema,
  }),
  "base-backup": json({
    request: async () => (await pointInTime()).baseBackupRequestSchema,
    answer: async () => (await pointInTime()).baseBackupAnswerSchema,
    failure: (answer) => (answer?.result === "failed" ? answer.text : undefined),
  }),
  side: json({ answer: async () => (await pointInTime()).recoveryInstanceResultSchema }),
  "side-restore": json({
    request: async () => (await pointInTime()).recoveryInstanceRequestSchema,
    answer: async () => (await pointInTime()).recoveryInstanceSchema,
  }),
  "side-psql": stream({ arguments: ["words..."] }),
  "side-copy-table": json({
    request: async () => (await pointInTime()).copyTableRequestSchema,
    answer: async () => (await pointInTime()).copyTableResultSchema,
  }),
  "side-restore-table": json({
    request: async () => (await pointInTime()).restoreTableRequestSchema,
    answer: async () => (await pointInTime()).restoreTableResultSchema,
  }),
  "side-copy-database": json({
    request: async () => (await pointInTime()).copyDatabaseRequestSchema,
    answer: async () => (await restore()).restoreResultSchema,
    failure: ({ result, text }) => (result === "failed" ? text : undefined),
  }),
  "side-remove": json({ answer: async () => (await pointInTime()).removedInstanceSchema }),

  // Application
  application: text({
    area: "application",
    request: async () => (await application()).applicationRequestSchema,
  }),
  "application-forget": text(),
  "application-due": text({ arguments: ["database", "started"], words: ["due", "not-due"] }),
  "application-health": text({ arguments: ["waited"] }),
  "application-report": json({
    arguments: ["restarted", "started", "seconds", "problem?"],
    request: async () => (await application()).applicationReportRequestSchema,
    body: "the application's log, as docker logs --timestamps prints it",
    answer: async () => (await applicationReport()).applicationReportSchema,
  }),

  // Reports and logs
  report: json({ answer: async () => (await restore()).newestReportSchema }),
  logs: json({ answer: async () => (await restore()).restoreLogsSchema }),
  log: stream({ arguments: ["name?"] }),
};

/** Name of a verb, e.g. `"side-restore"`. */
export type VerbName = keyof typeof verbs;

/** The definition of a verb. */
export type VerbOf<Name extends VerbName> = (typeof verbs)[Name];
