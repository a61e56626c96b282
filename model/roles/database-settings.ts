import { quoteIdentifier as q, quoteParameter } from "../base/sql";

/** A parameter set for a database by `ALTER DATABASE … SET`, or for everybody by `ALTER ROLE ALL SET`. */
export interface DatabaseSetting {
  /** `null` for `ALTER ROLE ALL`. */
  readonly database: string | null;
  readonly name: string;
  /** Whether only a superuser may set it, so that it was not set by the owner of the database. */
  readonly superuserOnly: boolean;
}

/**
 * Whether `up` resets a setting. The owner of a database may set parameters for it, e.g. `search_path` or `TimeZone`:
 * migrations do so. What only a superuser may set belongs into `postgres.settings`.
 */
export function isSettingDrift({ database, superuserOnly }: DatabaseSetting): boolean {
  return database === null || superuserOnly;
}

/** The statement that resets a setting. */
export function resetStatement({ database, name }: DatabaseSetting): string {
  const what = database === null ? "ROLE ALL" : `DATABASE ${q(database)}`;
  return `ALTER ${what} RESET ${quoteParameter(name)}`;
}
