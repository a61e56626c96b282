import { quoteIdentifier as q, quoteParameter } from "../base/sql";

/** A parameter set for a database by `ALTER DATABASE … SET`, or for everybody by `ALTER ROLE ALL SET`. */
export interface DatabaseSetting {
  /** `null` for `ALTER ROLE ALL`. */
  readonly database: string | null;
  readonly name: string;
  /** As PostgreSQL stores it, e.g. `1ms`. */
  readonly value: string;
  /** Whether only a superuser may set it, so that it was not set by the owner of the database. */
  readonly superuserOnly: boolean;
}

/** Timeouts that end what takes longer. PostgreSQL manual, 19.11.1. */
const timeouts = new Set([
  "statement_timeout",
  "transaction_timeout",
  "lock_timeout",
  "idle_in_transaction_session_timeout",
  "idle_session_timeout",
]);

/** A shorter timeout is no limit for runaway statements, but stops the application. */
const shortestTimeoutMs = 100;

/**
 * Why `up` resets a setting of a database, to follow its name; `undefined` when it does not. The owner of a database may set
 * parameters for it, e.g. `search_path` or `TimeZone`: migrations do so. What only a superuser may set belongs into
 * `postgres.settings`.
 */
export function settingFault(setting: DatabaseSetting): string | undefined {
  const { superuserOnly, value } = setting;
  const name = setting.name.toLowerCase();
  if (superuserOnly) return `sets ${setting.name}, which only a superuser may set`;
  if (name === "default_transaction_read_only" && !isOff(value))
    return `sets ${setting.name} = ${value}, so that nobody can write to it`;
  if (name === "role" || name === "session_authorization")
    return `sets ${setting.name} = ${value}, so that sessions begin with the rights of another role`;
  const timeout = timeouts.has(name) ? milliseconds(value) : undefined;
  if (timeout === undefined || timeout <= 0 || timeout >= shortestTimeoutMs) return undefined;
  return `sets ${setting.name} = ${value}, with which the application cannot work`;
}

/** Whether `up` resets a setting. */
export function isSettingDrift(setting: DatabaseSetting): boolean {
  return setting.database === null || settingFault(setting) !== undefined;
}

function isOff(value: string): boolean {
  return /^(?:off?|f(?:a(?:l(?:se?)?)?)?|no?|0)$/i.test(value.trim());
}

function milliseconds(value: string): number | undefined {
  const [, count, unit = "ms"] = /^\s*(-?[\d.]+)\s*(us|ms|s|min|h|d)?\s*$/.exec(value) ?? [];
  const factors = { us: 1e-3, ms: 1, s: 1e3, min: 6e4, h: 3.6e6, d: 8.64e7 };
  return count === undefined ? undefined : Number(count) * factors[unit as keyof typeof factors];
}

/** The statement that resets a setting. */
export function resetStatement({ database, name }: DatabaseSetting): string {
  const what = database === null ? "ROLE ALL" : `DATABASE ${q(database)}`;
  return `ALTER ${what} RESET ${quoteParameter(name)}`;
}
