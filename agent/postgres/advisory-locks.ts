import { createHash } from "node:crypto";

/** The two keys of an advisory lock, each a signed 32-bit number. */
export type LockKey = readonly [number, number];

/**
 * Keys of all advisory locks that the agent takes. They are in one list so that no two kinds of work share a key.
 * The agent takes them in its own database only. PostgreSQL manual, 13.3.5.
 */
export const advisoryLocks = {
  /** A change of `pg_hba.conf`. */
  pgHba: [0x57a6f, 0],
  /** A change of roles: restores of two databases create the same ones. */
  roles: [0x57a70, 0],
  /** Held by a job while it runs. */
  jobs: [0x57a71, 0],
  /** A change of PostgreSQL parameters. */
  parameters: [0x57a73, 0],
  /** A change of the certificate. */
  certificate: [0x57a74, 0],
  /** A change of archiving. */
  archiving: [0x57a75, 0],
  /** A base backup. */
  baseBackup: [0x57a76, 0],
} as const satisfies Readonly<Record<string, LockKey>>;

/** The lock on a database, held while it is restored or receives a dump. */
export function databaseLock(database: string): LockKey {
  return [0x57a6e, createHash("sha256").update(database).digest().readInt32BE()];
}
