import {
  answer,
  answerJob,
  answerRestore,
  check,
  fail,
  keepGeneration,
  request,
  server,
} from "./call";
import { AgentError, messageOf } from "./system/errors";

/**
 * What the agent can be asked. Requests are JSON on stdin; an answer is one JSON line on stdout.
 *
 * Each verb loads what it needs when it is asked for: most calls take a few milliseconds, and loading everything would
 * take many times as long. So nothing but what every call needs is imported above.
 */
const verbs: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  serve: async () => {
    const { serve } = await import("./daemon/serve.js");
    serve(server);
  },
  observe: async () => {
    const { observe } = await import("./observation/observe.js");
    answer(await observe(server));
  },
  databases: async () => {
    const { databases } = await import("./verbs/databases.js");
    answer(await databases());
  },
  roles: async ([generation]) => {
    const { rolesRequestSchema } = await import("../model/roles/protocol.js");
    const { roles } = await import("./server/roles/apply-roles.js");
    answer(await roles(await request(rolesRequestSchema)));
    await keepGeneration("roles", generation);
  },
  "pg-hba": async ([generation]) => {
    const { pgHbaRequestSchema } = await import("../model/pg-hba/rule/protocol.js");
    const { applyPgHba } = await import("./server/pg-hba/apply.js");
    answer(await applyPgHba(await request(pgHbaRequestSchema)));
    await keepGeneration("pg-hba", generation);
  },
  connection: async ([generation]) => {
    const { connectionRequestSchema } = await import("../model/connection/protocol.js");
    const { ensureConnection } = await import("./server/connection/connection.js");
    answer(await ensureConnection(await request(connectionRequestSchema)));
    await keepGeneration("connection", generation);
  },
  backup: async () => {
    const { backupRequestSchema } = await import("../model/backup/protocol.js");
    const { backup } = await import("./daemon/jobs/backup-now.js");
    answerJob(await backup(await request(backupRequestSchema)));
  },
  job: async ([kind = "", name = ""]) => {
    const { job } = await import("./daemon/jobs/run-job.js");
    answerJob(await job(kind, name));
    // Nothing that is still open, such as a timer, may keep a job from its end.
    process.exit();
  },
  "keep-state": async () => {
    const { keepState } = await import("./backup/stack-state.js");
    await keepState();
  },
  "backups-schedule": async ([generation]) => {
    const { backupsRequestSchema } = await import("../model/backup/protocol.js");
    const { scheduleBackups } = await import("./daemon/jobs/apply-schedule.js");
    answer(await scheduleBackups(await request(backupsRequestSchema)));
    await keepGeneration("backups", generation);
  },
  "pg-hba-check": async () => {
    const { pgHbaRequestSchema } = await import("../model/pg-hba/rule/protocol.js");
    const { checkElsewhere } = await import("./server/pg-hba/external.js");
    answer(await checkElsewhere(await request(pgHbaRequestSchema)));
  },
  "pg-hba-try": async ([generation]) => {
    const { pgHbaRequestSchema } = await import("../model/pg-hba/rule/protocol.js");
    const { tryElsewhere } = await import("./server/pg-hba/external.js");
    answer(await tryElsewhere(await request(pgHbaRequestSchema)));
    // Also of rules that are taken back, so that they are tried again next time.
    await keepGeneration("pg-hba", generation);
  },
  settings: async ([generation]) => {
    const { parametersRequestSchema: settingsRequestSchema } =
      await import("../model/parameters/protocol.js");
    const { ensureSettings } = await import("./verbs/settings.js");
    const result = await ensureSettings(await request(settingsRequestSchema));
    // One that waits for a restart is in force when it is confirmed.
    if (result.restart.length === 0) await keepGeneration("settings", generation);
    answer(result);
  },
  tls: async ([generation]) => {
    const { tlsRequestSchema } = await import("../model/tls/protocol.js");
    const { ensureTls } = await import("./verbs/tls.js");
    answer(await ensureTls(await request(tlsRequestSchema)));
    await keepGeneration("tls", generation);
  },
  "settings-confirm": async ([generation]) => {
    const { parametersRequestSchema: settingsRequestSchema } =
      await import("../model/parameters/protocol.js");
    const { settingsConfirmed } = await import("./verbs/settings.js");
    answer(await settingsConfirmed(await request(settingsRequestSchema)));
    await keepGeneration("settings", generation);
  },
  offsite: async () => {
    const { offsiteListRequestSchema } = await import("../model/backup/offsite-protocol.js");
    const { listCopies } = await import("./offsite/copies.js");
    answer(await listCopies((await request(offsiteListRequestSchema)).of));
  },
  "offsite-upload": async () => {
    const { offsiteUploadRequestSchema } = await import("../model/backup/offsite-protocol.js");
    const { uploadCopies } = await import("./offsite/copies.js");
    const copies = await uploadCopies((await request(offsiteUploadRequestSchema)).server);
    for (const { copy } of copies) if (copy.result === "failed") fail(copy.text);
    answer({ copies });
  },
  "offsite-fetch": async () => {
    const { offsiteFetchSchema } = await import("../model/backup/offsite-protocol.js");
    const { fetchBackup } = await import("./offsite/copies.js");
    answer(await fetchBackup(await request(offsiteFetchSchema)));
  },
  receive: async ([sha256, database, mode, folder]) => {
    const { receive, receiveSchema } = await import("./restore/dump/receive.js");
    await receive(await check(receiveSchema, { sha256, database, mode, folder }));
  },
  "backups-at-hand": async ([place]) => {
    const { availableBackups: backupsAtHand } =
      await import("./restore/source/available-backups.js");
    answer(await backupsAtHand(place));
  },
  "copies-at-hand": async () => {
    const { copiesAtHandRequestSchema } = await import("../model/restore/available-backups.js");
    const { availableOffsiteCopies: copiesAtHand } =
      await import("./restore/source/available-backups.js");
    answer(await copiesAtHand((await request(copiesAtHandRequestSchema)).offsite));
  },
  plan: async () => {
    const { restoreRequestSchema } = await import("../model/restore/protocol.js");
    const { planRefresh } = await import("./restore/plan.js");
    answer(await planRefresh(await request(restoreRequestSchema)));
  },
  restore: async () => {
    const { restoreRequestSchema } = await import("../model/restore/protocol.js");
    const { restore } = await import("./restore/restore.js");
    await answerRestore(await restore(await request(restoreRequestSchema)));
  },
  archive: async ([generation]) => {
    const { archiveRequestSchema } = await import("../model/point-in-time/protocol.js");
    const { switchArchive } = await import("./recovery/archive/switch-archiving.js");
    answer(await switchArchive(await request(archiveRequestSchema)));
    await keepGeneration("archive", generation);
  },
  "base-backup": async () => {
    const { baseBackupRequestSchema } = await import("../model/point-in-time/protocol.js");
    const { makeBaseBackup } = await import("./recovery/archive/base-backup.js");
    const asked = await request(baseBackupRequestSchema);
    const result = await makeBaseBackup(asked.server, asked.type);
    if (result?.result === "failed") throw new AgentError(result.text);
    answer(result);
  },
  side: async () => {
    const { keptSide } = await import("./recovery/instance/instance.js");
    answer({ side: (await keptSide()) ?? null });
  },
  "side-restore": async () => {
    const { recoveryInstanceRequestSchema: sideRequestSchema } =
      await import("../model/point-in-time/protocol.js");
    const { makeSide } = await import("./recovery/instance/create.js");
    answer(await makeSide(await request(sideRequestSchema)));
  },
  "side-psql": async (args) => {
    const { sidePsql } = await import("./recovery/instance/psql.js");
    process.exitCode = await sidePsql(server, args);
  },
  "side-copy-table": async () => {
    const { copyTableRequestSchema } = await import("../model/point-in-time/protocol.js");
    const { copyTable } = await import("./recovery/instance/copy-table.js");
    answer(await copyTable(await request(copyTableRequestSchema)));
  },
  "side-copy-database": async () => {
    const { copyDatabaseRequestSchema } = await import("../model/point-in-time/protocol.js");
    const { copyDatabase } = await import("./recovery/instance/copy-database.js");
    await answerRestore(await copyDatabase(await request(copyDatabaseRequestSchema)));
  },
  "side-remove": async () => {
    const { removeSide } = await import("./recovery/instance/remove.js");
    answer({ removed: await removeSide() });
  },
  upgrades: async () => {
    const { upgradesRequestSchema } = await import("../model/upgrades/protocol.js");
    const { upgrades } = await import("./prepare/upgrades/report.js");
    answer(await upgrades(await request(upgradesRequestSchema)));
  },
  backups: async () => {
    const { catalogueRequestSchema } = await import("../model/backup/catalogue-protocol.js");
    const { backups } = await import("./backup/catalogue.js");
    answer(await backups(await request(catalogueRequestSchema)));
  },
  "backups-forget": async () => {
    const { pruneRequestSchema: forgetRequestSchema } =
      await import("../model/backup/catalogue-protocol.js");
    const { forgetBackups } = await import("./backup/catalogue.js");
    answer(await forgetBackups(await request(forgetRequestSchema)));
  },
  "backups-delete": async () => {
    const { deleteRequestSchema } = await import("../model/backup/catalogue-protocol.js");
    const { deleteBackups } = await import("./backup/catalogue.js");
    answer(await deleteBackups(await request(deleteRequestSchema)));
  },
  "backups-send": async ([id = ""]) => {
    const { sendBackup } = await import("./repository/send-backup.js");
    await sendBackup(id);
  },
  verify: async () => {
    const { verifyRequestSchema } = await import("../model/backup/verify-protocol.js");
    const { verify } = await import("./verify/verify-now.js");
    const result = await verify(await request(verifyRequestSchema));
    if (result.verification?.result === "failed") fail(result.verification.text);
    answer(result);
  },
  application: async ([generation]) => {
    const { applicationRequestSchema } = await import("../model/application/protocol.js");
    const { keepApplication } = await import("./server/application/registration.js");
    await keepApplication(await request(applicationRequestSchema));
    await keepGeneration("application", generation);
  },
  "application-forget": async () => {
    const { forgetApplication } = await import("./server/application/registration.js");
    await forgetApplication();
  },
  "application-due": async ([database = "", started = ""]) => {
    const { applicationDue } = await import("./server/application/report.js");
    answer(await applicationDue(database, started));
  },
  "application-health": async ([waited]) => {
    const { waitForApplication } = await import("./server/application/wait.js");
    answer(await waitForApplication(Number(waited)));
  },
  "application-report": async (args) => {
    const { applicationReport } = await import("./verbs/application-report.js");
    answer(await applicationReport(server, args));
  },
  report: async () => {
    const { latestReport } = await import("./system/restore-reports.js");
    answer(await latestReport());
  },
  logs: async () => {
    const { listLogs } = await import("./system/restore-reports.js");
    answer(await listLogs());
  },
  log: async ([name]) => {
    const { showLog } = await import("./system/show-log.js");
    await showLog(name);
  },
};

async function main([verb = "", ...args]: readonly string[]): Promise<void> {
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!run)
    throw new AgentError(`unknown verb "${verb}"; it is one of: ${Object.keys(verbs).join(", ")}`);
  await run(args);
}

async function tell(error: unknown): Promise<string> {
  if (error instanceof AgentError) return error.message;
  if (!(error instanceof Error)) return `unexpected: ${messageOf(error)}`;
  const { originalStack } = await import("./system/source-map.js");
  return `unexpected: ${originalStack(error)}`;
}

main(process.argv.slice(2)).catch(async (error: unknown) => {
  fail(await tell(error));
});
