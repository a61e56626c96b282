import { mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { RequirementError } from "./requirement";

/**
 * Creates a folder that only this user can enter, unless it exists. Programs are executed from it, so a folder that others can
 * write to, or that belongs to somebody else, is rejected with a {@link RequirementError}. Folders of root and of the owner of
 * the home folder are accepted: in a container, root often works in another user's home. Returns the folder.
 */
export function ensurePrivateFolder(folder: string, home = homedir()): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  const problem = problemOf(uid, mode, [0, process.getuid?.(), homeOwner(home)]);
  if (problem === undefined) return folder;
  throw new RequirementError(
    `${folder} ${problem}, who could replace the programs in it`,
    `remove it, or make it yours: chown "$USER" ${folder} && chmod 700 ${folder}`,
  );
}

function homeOwner(home: string): number | undefined {
  return statSync(home, { throwIfNoEntry: false })?.uid;
}

function problemOf(
  uid: number,
  mode: number,
  owners: readonly (number | undefined)[],
): string | undefined {
  if (!owners.includes(uid)) return `belongs to another user (uid ${uid})`;
  return (mode & 0o002) === 0 ? undefined : "can be written by every user";
}
