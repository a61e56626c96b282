/**
 * Role that owns all objects while a dump is restored. A dump may contain objects that only a superuser can create
 * (extensions, C functions, event triggers); afterwards they are reassigned to the database owner. The role cannot log
 * in and exists only during the restore.
 */
export const restoreRole = "stagecraft_restore";
