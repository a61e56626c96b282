/**
 * PostgreSQL's advisory locks that this agent takes, all here, so that no two kinds of work wait for each other by chance.
 * PostgreSQL manual, 13.3.5.
 */
export const advisoryLocks = {
  /** A class: its second key is the hash of a database's name. Who restores it or receives a dump for it. */
  database: 0x57a6e,
  /** A change of `pg_hba.conf`. */
  rules: [0x57a6f, 0],
  /** Whoever changes roles; restores of two databases make the same ones. */
  roles: [0x57a70, 0],
  /** Every job holds it while it works. */
  jobs: [0x57a71, 0],
  /** All restores of a server share it while they need their role. */
  restoreRole: [0x57a72, 0],
  /** Whoever makes that role. */
  restoreRoleMaker: [0x57a72, 1],
  /** A change of settings. */
  settings: 0x57a73,
  /** A change of the certificate. */
  certificate: 0x57a74,
  /** A change of archiving. */
  archiving: 0x57a75,
  /** A base backup. */
  baseBackup: 0x57a76,
} as const;
