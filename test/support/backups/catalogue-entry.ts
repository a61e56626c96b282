import type { CatalogueEntry, Verification } from "../../../model/backup/catalogue";
import { formatBackupId } from "../../../model/base/names";

/** What matters of a backup to who judges it. */
export interface TestBackup {
  /** Its moment, e.g. `2026-11-21T03:29Z`. */
  readonly at: Date | string;
  /** What its last verification found; `null` for none. @default "passed" */
  readonly verified?: "passed" | "failed" | "checksums" | null;
  readonly pins?: readonly string[];
  /** Names of its databases. @default timesheets */
  readonly databases?: readonly string[];
  /** Whether it is of all databases; absent in backups of earlier versions. */
  readonly allDatabases?: boolean;
  readonly job?: string | null;
}

/** A line of the catalogue. */
export function catalogueEntry({
  at,
  verified = "passed",
  pins = [],
  databases = ["timesheets"],
  allDatabases,
  job = "nightly",
}: TestBackup): CatalogueEntry {
  const id = formatBackupId(new Date(at));
  const startedAt = new Date(at).toISOString();
  return {
    id,
    attempt: {
      ...{ id, job, startedAt, finishedAt: startedAt },
      ...{ result: "backed up", text: "", logs: [] },
    },
    backup: {
      ...{ server: "prod", kind: "production", job, postgres: "17.6" },
      databases: databases.map((name) => ({ name, bytes: 5e9, rows: 11_702_113 })),
      ...(allDatabases !== undefined && { allDatabases }),
      ...{ bytes: 1.9 * 2 ** 30, seconds: 24 },
    },
    verification: verified === null ? null : verificationOf(startedAt, verified),
    offsite: null,
    pins: [...pins],
  };
}

function verificationOf(
  checkedAt: string,
  verified: "passed" | "failed" | "checksums",
): Verification {
  return {
    ...{ checkedAt, from: "repository", seconds: 24, text: "" },
    result: verified === "failed" ? "failed" : "passed",
    restored: verified === "passed",
  };
}
