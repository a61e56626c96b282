/**
 * Owns everything while a dump is restored. A dump may hold what only a superuser can make (extensions, C functions,
 * event triggers); afterwards all of it goes to the database's owner. It cannot log in and lives as long as the restore.
 */
export const restoreRole = "stagecraft_restore";
