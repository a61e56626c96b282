/**
 * Keys of all advisory locks that the agent takes. They are in one list so that no two kinds of work share a key.
 * PostgreSQL manual, 13.3.5.
 */
export const advisoryLocks = {
  /** First of two keys; the second is the hash of a database name. Held while the database is restored or receives a dump. */
  database: 0x57a6e,
  /** A change of `pg_hba.conf`. */
  pgHba: [0x57a6f, 0],
  /** A change of roles: restores of two databases create the same ones. */
  roles: [0x57a70, 0],
  /** Held by a job while it runs. */
  jobs: [0x57a71, 0],
  /** Shared by all restores of a server while they use the restore role. */
  restoreRole: [0x57a72, 0],
  /** Creation of the restore role. */
  restoreRoleCreation: [0x57a72, 1],
  /** A change of PostgreSQL parameters. */
  parameters: 0x57a73,
  /** A change of the certificate. */
  certificate: 0x57a74,
  /** A change of archiving. */
  archiving: 0x57a75,
  /** A base backup. */
  baseBackup: 0x57a76,
} as const;
