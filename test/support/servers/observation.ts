import type { Observation } from "../../../model/observation/observation";

/** What an agent sees of everything but the databases when all is as it should be. */
export const quietServer: Pick<
  Observation,
  "generations" | "interfaces" | "settings" | "roles" | "tls" | "pgHba" | "archive" | "backups"
> = {
  generations: { settings: 1, roles: 1, tls: 1, "pg-hba": 1, archive: 1, backups: 1 },
  interfaces: ["172.18.0.3/16"],
  settings: { sha256: null, values: {}, alterSystem: [], pendingRestart: [] },
  roles: { faults: [], missing: [], superusers: [], rights: [], logins: [], recorded: true },
  tls: { on: true, fingerprint: null, expires: null, names: [], given: false },
  archive: {
    ...{ on: false, choice: null, waiting: 0, behindSeconds: 0, lastArchivedAt: null },
    ...{
      failure: null,
      problem: null,
      windows: [],
      backups: [],
      lastBackup: null,
      next: [],
      side: null,
    },
  },
  backups: {
    ...{ sha256: null, jobs: [], running: null, lastAttempt: null },
    ...{ newest: null, late: [], newestVerified: null },
    ...{ verifiedLimit: null, since: null, freeBytes: 1 },
  },
  pgHba: { text: "", sha256: "0".repeat(64) },
};
